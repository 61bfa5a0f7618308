// The colour theme: the system's unless the person chose one.
import { useContext } from "react";
import { Monitor, Moon, Sun } from "lucide-react";
import { ColorModeContext } from "$/utils/context-registry";
import { IconButton, MenuItem } from "./controls.jsx";

const THEMES = [
  { name: "light", label: "Light", icon: Sun },
  { name: "dark", label: "Dark", icon: Moon },
  { name: "system", label: "System", icon: Monitor },
];

export function ThemeItems() {
  const { rawColorMode, setColorMode } = useContext(ColorModeContext);
  return THEMES.map(({ name, label, icon }) => (
    <MenuItem key={name} icon={icon} isChecked={rawColorMode === name} onClick={() => setColorMode(name)}>
      <span className="grow text-left">{label}</span>
    </MenuItem>
  ));
}

export function ThemeButton({ className }) {
  const { resolvedColorMode, setColorMode } = useContext(ColorModeContext);
  const isDark = resolvedColorMode === "dark";
  return (
    <IconButton
      icon={isDark ? Sun : Moon}
      label={isDark ? "Use the light theme" : "Use the dark theme"}
      side="left"
      className={className}
      onClick={() => setColorMode(isDark ? "light" : "dark")}
    />
  );
}
