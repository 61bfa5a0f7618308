"""The chart of usage: a bar for each day, stacked by model, user or group. Its library is loaded by its page alone."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.usage import CHARTED, UsageState


@rx.memo
def usage_chart() -> rx.Component:
    """The bars, with their amounts when the pointer is on a day; the table below has the same in words."""
    bars = [
        rx.recharts.bar(
            data_key=f"s{place}",
            name=UsageState.names[place],
            stack_id="usage",
            fill=f"var(--chart-{place})",
            is_animation_active=False,
        )
        for place in range(CHARTED + 1)
    ]
    return rx.recharts.bar_chart(
        rx.recharts.x_axis(data_key="day", tick_line=False, min_tick_gap=24),
        rx.recharts.y_axis(width=64, axis_line=False, tick_line=False),
        rx.recharts.cartesian_grid(vertical=False, stroke_dasharray="3 3"),
        rx.recharts.graphing_tooltip(is_animation_active=False),
        *bars,
        data=UsageState.chart,
        width="100%",
        height=260,
    )
