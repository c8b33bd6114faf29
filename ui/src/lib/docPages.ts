/** The documentation that comes with the interface, in one piece that is loaded when it is first opened. */
import { pageOf } from "./docs";

const ROOT = "../../../docs/";
const files = import.meta.glob<string>(["../../../docs/index.md", "../../../docs/durability.md", "../../../docs/guides/*.md", "../../../docs/reference/*.md"], { query: "?raw", import: "default", eager: true });

export const PAGES = Object.entries(files).map(([path, text]) => pageOf(path.slice(ROOT.length).replace(/\.md$/, ""), text));
