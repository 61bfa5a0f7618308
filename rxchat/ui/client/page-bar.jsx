// The bar above a page that is no conversation: where one is, and the way to the sidebar.
import { PanelLeft } from "lucide-react";
import { IconButton, shortcut } from "./controls.jsx";
import { toggleSidebar } from "./sidebar.jsx";
import { ThemeButton } from "./theme.jsx";

export function PageBar({ title }) {
  return (
    <header className="topbar">
      <IconButton icon={PanelLeft} label="Show the sidebar" tip={`Sidebar · ${shortcut("B")}`} side="right" className="opens-sidebar" data-opens-sidebar="" onClick={toggleSidebar} />
      <p className="topbar-title" aria-hidden="true">{title}</p>
      <ThemeButton className="theme-button" />
    </header>
  );
}
