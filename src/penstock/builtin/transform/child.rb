# What runs in a process of its own: a script in Ruby, once for each item that comes in as a line of JSON.
# It answers as child.py does.

require "json"

# Collects what the script logs.
class ItemLogger
  LEVELS = { trace: "TRACE", debug: "DEBUG", info: "INFO", warn: "WARN", warning: "WARN", error: "ERROR" }.freeze
  attr_reader :lines

  def initialize
    @lines = []
  end

  LEVELS.each do |name, level|
    define_method(name) do |message, *values|
      @lines << [level, values.reduce(message.to_s) { |text, value| text.sub("{}") { value.to_s } }]
    end
  end
end

def answer(script, item)
  logger = ItemLogger.new
  found = script.call(item, nil, logger)
  raise "the script has returned before its end" unless found.is_a?(Array) && found.length == 2

  row, rows = found
  { rows: rows || (row.nil? ? [] : [row]), logs: logger.lines }
rescue StandardError => error
  { error: "#{error.class}: #{error.message}", logs: logger.lines }
end

Encoding.default_external = Encoding::UTF_8
replies = $stdout.dup
replies.sync = true
$stdout = $stderr # what the script prints is no answer
script = eval("lambda do |row, rows, logger|\n#{JSON.parse($stdin.readline)}\n[row, rows]\nend", TOPLEVEL_BINDING, "script", 0)
$stdin.each_line { |line| replies.puts(JSON.generate(answer(script, JSON.parse(line)))) }
