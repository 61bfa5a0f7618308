// Modules whose types are not installed here: the frontend build has them.
declare module "$/*";
declare module "*.mjs";
declare module "*?url";
declare module "*.css";
declare module "@streamdown/cjk";
declare module "katex";
declare module "lucide-react";
declare module "pdfjs-dist";
declare module "react-router";
declare module "remark-*";
declare module "shiki/*";
declare module "streamdown";
declare module "tus-js-client";

interface ImportMeta {
  /** Vite's: files of the build, or functions that load them, by their paths. */
  glob(patterns: string[], options?: object): Record<string, () => Promise<any>>;
}

interface Window {
  /** React Router's name for one build of the pages. */
  __reactRouterManifest?: { version: string; routes: Record<string, { path?: string; module: string; imports: string[] }> };
}
