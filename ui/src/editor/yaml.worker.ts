// A file of the project's own, so that the bundler turns the package's worker into a local asset.
import "monaco-yaml/yaml.worker.js";
