"""How it looks: functions of state vars, no logic."""
