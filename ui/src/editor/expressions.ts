/** Completion within the expressions of a flow's source. */
import type * as Monaco from "monaco-editor";
import { outputNames } from "@/composables/usePlugins";
import { named, namesOf, suggestionsAt, type Names, type Suggestion } from "@/lib/completion";
import { valueOf } from "@/lib/source";

/** Has the editor complete expressions in the models under a path. */
export function completeExpressions(monaco: typeof Monaco, under: string): void {
  // While an expression is typed the text is often no YAML: the names are those it last had.
  const known = new WeakMap<Monaco.editor.ITextModel, Names>();
  const kinds = { name: monaco.languages.CompletionItemKind.Variable, filter: monaco.languages.CompletionItemKind.Method, function: monaco.languages.CompletionItemKind.Function };

  monaco.languages.registerCompletionItemProvider("yaml", {
    triggerCharacters: ["{", ".", "|", " "],
    async provideCompletionItems(model, position) {
      if (!model.uri.toString().startsWith(under)) return undefined;
      const text = model.getValue();
      const offset = model.getOffsetAt(position);
      const value = valueOf(text);
      const names = value ? namesOf(value) : (known.get(model) ?? namesOf(undefined));
      known.set(model, names);
      const wanted = suggestionsAt(text, offset, names);
      if (!wanted) return undefined;
      const more = wanted.outputsOf ? named(await outputNames(wanted.outputsOf), "output") : [];
      const start = model.getPositionAt(wanted.from);
      const range = new monaco.Range(start.lineNumber, start.column, position.lineNumber, position.column);
      return { suggestions: [...wanted.suggestions, ...more].map((one) => item(one, range)) };
    },
  });

  function item({ label, insert, detail, kind }: Suggestion, range: Monaco.IRange): Monaco.languages.CompletionItem {
    return { label, insertText: insert, filterText: insert, detail, kind: kinds[kind], range };
  }
}
