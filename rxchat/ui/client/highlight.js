// Syntax colours by Shiki, a JavaScript library, while the code grows; without its WebAssembly, and with common languages only.
import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";

const LANGUAGES = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  dockerfile: () => import("shiki/langs/dockerfile.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  ini: () => import("shiki/langs/ini.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  lua: () => import("shiki/langs/lua.mjs"),
  make: () => import("shiki/langs/make.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  nginx: () => import("shiki/langs/nginx.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  powershell: () => import("shiki/langs/powershell.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  r: () => import("shiki/langs/r.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
};

const ALIASES = {
  sh: "bash", shell: "bash", zsh: "bash", console: "bash", "c++": "cpp", "c#": "csharp", cs: "csharp", docker: "dockerfile",
  golang: "go", toml: "toml", js: "javascript", mjs: "javascript", node: "javascript", jsonc: "json", kt: "kotlin",
  makefile: "make", md: "markdown", ps1: "powershell", py: "python", python3: "python", rb: "ruby", rs: "rust",
  postgresql: "sql", psql: "sql", ts: "typescript", svg: "xml", yml: "yaml",
};

const THEME = "rxchat";
let starting = null;
const loading = new Map();

function start() {
  starting ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: THEME, variablePrefix: "--code-" })],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  return starting;
}

/** The name under which a fence's language is coloured, or "" when it stays plain. */
export function knownLanguage(name) {
  const plain = (name ?? "").toLowerCase();
  const known = ALIASES[plain] ?? plain;
  return Object.hasOwn(LANGUAGES, known) ? known : "";
}

async function load(language) {
  const highlighter = await start();
  const { default: grammar } = await LANGUAGES[language]();
  await highlighter.loadLanguage(...grammar);
  return highlighter;
}

/** A function that colours a growing text of one language: whole lines are coloured once and kept. */
export async function createColourer(language) {
  if (!loading.has(language)) loading.set(language, load(language));
  const highlighter = await loading.get(language);
  let sealed = { source: "", lines: [], state: undefined };
  const colour = (code, state) => highlighter.codeToTokens(code, { lang: language, theme: THEME, grammarState: state });
  return (code) => {
    if (!code.startsWith(sealed.source)) sealed = { source: "", lines: [], state: undefined };
    const end = code.lastIndexOf("\n") + 1;
    if (end > sealed.source.length) {
      const fresh = colour(code.slice(sealed.source.length, end - 1), sealed.state);
      sealed = { source: code.slice(0, end), lines: sealed.lines.concat(fresh.tokens), state: fresh.grammarState };
    }
    return sealed.lines.concat(colour(code.slice(end), sealed.state).tokens);
  };
}
