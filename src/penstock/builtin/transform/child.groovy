// What runs in a process of its own: a script in Groovy, once for each item that comes in as a line of JSON.
// It answers as child.py does.

import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** Collects what the script logs. */
class ItemLogger {
    static final LEVELS = [trace: 'TRACE', debug: 'DEBUG', info: 'INFO', warn: 'WARN', warning: 'WARN', error: 'ERROR']
    final List lines = []

    def invokeMethod(String name, Object arguments) {
        if (!LEVELS.containsKey(name)) throw new MissingMethodException(name, ItemLogger, arguments as Object[])
        def (message, values) = [arguments[0], arguments.toList().drop(1)]
        def text = values.inject(message.toString()) { known, value ->
            known.replaceFirst(/\{\}/, java.util.regex.Matcher.quoteReplacement(value.toString()))
        }
        lines << [LEVELS[name], text]
        return null
    }
}

// Groovy 2.4 takes the versions of Java since 9 for older than 1.8, for which it sorts fields by their names.
def version = System.getProperty('java.version')
System.setProperty('java.version', '1.8.0_1')
def slurper = new JsonSlurper()
slurper.parseText('{"a": 1}').keySet()
System.setProperty('java.version', version)

def replies = new PrintStream(new FileOutputStream(FileDescriptor.out), true, 'UTF-8')
System.out = System.err // what the script prints is no answer
def reader = new BufferedReader(new InputStreamReader(System.in, 'UTF-8'))
def script = new GroovyShell().parse(slurper.parseText('[' + reader.readLine() + ']')[0])
String line
while ((line = reader.readLine()) != null) {
    def logger = new ItemLogger()
    def answer
    try {
        def given = slurper.parseText('[' + line + ']')[0]
        script.binding = new Binding([row: given, rows: null, logger: logger])
        script.run()
        def names = script.binding.variables
        answer = [rows: names.rows != null ? names.rows : (names.row == null ? [] : [names.row]), logs: logger.lines]
    } catch (Throwable error) {
        answer = [error: error.toString(), logs: logger.lines]
    }
    replies.println(JsonOutput.toJson(answer))
}
