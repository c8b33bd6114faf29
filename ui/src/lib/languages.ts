// JSON is coloured as the YAML it also is: the editor's own JSON would bring another worker.
const BY_EXTENSION: Readonly<Record<string, string>> = {
  yml: "yaml", yaml: "yaml", json: "yaml", jsonl: "yaml", ion: "yaml", py: "python", sql: "sql", sh: "shell", bash: "shell", md: "markdown", js: "javascript", mjs: "javascript", ts: "typescript",
  html: "html", htm: "html", css: "css", xml: "xml", ini: "ini", toml: "ini", properties: "ini", cfg: "ini", java: "java", go: "go", rs: "rust", r: "r", rb: "ruby", ps1: "powershell",
  tf: "hcl", hcl: "hcl",
};
const BY_NAME: Readonly<Record<string, string>> = { dockerfile: "dockerfile" };

/** The editor's name for the language of a file; what the editor does not know is shown as plain text. */
export function languageOf(path: string): string {
  const name = path.split("/").at(-1)?.toLowerCase() ?? "";
  return BY_NAME[name] ?? BY_EXTENSION[name.split(".").at(-1) ?? ""] ?? "plaintext";
}
