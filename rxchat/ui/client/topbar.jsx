// The bar above the thread: where one is, which model answers.
import { useEffect } from "react";
import { Check, ChevronDown, PanelLeft } from "lucide-react";
import { IconButton, Menu, MenuItem, shortcut } from "./controls.jsx";
import { toggleSidebar } from "./sidebar.jsx";
import { ThemeButton } from "./theme.jsx";

function ModelPicker({ models, model, onChoose }) {
  if (!models.length) return model ? <span className="model-button text-muted">{model}</span> : null;
  return (
    <Menu
      label="Model"
      placement="bottom-end"
      button={(props) => (
        <button type="button" className="model-button" aria-label={`Model: ${model || "none"}`} {...props}>
          <span className="truncate">{model || "Choose a model"}</span>
          <ChevronDown size={15} aria-hidden="true" className="shrink-0 text-muted" />
        </button>
      )}
    >
      {models.map((choice) => (
        <MenuItem key={choice.name} isChecked={choice.name === model} disabled={choice.is_off} onClick={() => onChoose(choice.name)}>
          <span className="grow text-left">
            <span className="block model-name">{choice.name}</span>
            {choice.detail && <span className="menu-detail">{choice.detail}</span>}
          </span>
          {choice.name === model && <Check size={16} aria-hidden="true" className="text-link" />}
        </MenuItem>
      ))}
    </Menu>
  );
}

export function TopBar({ title, models, model, onChoose }) {
  useEffect(() => {
    document.title = title ? `${title} · RxChat` : "RxChat";
  }, [title]);
  return (
    <header className="topbar">
      <IconButton
        icon={PanelLeft}
        label="Show the sidebar"
        tip={`Sidebar · ${shortcut("B")}`}
        side="right"
        className="opens-sidebar"
        data-opens-sidebar=""
        onClick={toggleSidebar}
      />
      <h1 className="topbar-title">{title}</h1>
      <ModelPicker models={models} model={model} onChoose={onChoose} />
      <ThemeButton className="theme-button" />
    </header>
  );
}
