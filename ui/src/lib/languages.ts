// JSON is coloured as the YAML it also is: the editor's own JSON would bring another worker.
const BY_EXTENSION: Readonly<Record<string, string>> = { yml: "yaml", yaml: "yaml", json: "yaml", py: "python", sql: "sql", sh: "shell", md: "markdown", js: "javascript" };

/** The editor's name for the language of a file; what the editor does not know is shown as plain text. */
export function languageOf(path: string): string {
  return BY_EXTENSION[path.split(".").at(-1)?.toLowerCase() ?? ""] ?? "plaintext";
}
