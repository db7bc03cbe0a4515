"""Small dialogs: choose one of a few, type one line, read one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.messages import Copy


class Choose(ModalScreen[str | None]):
    """One of a few words; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Leave")]

    def __init__(self, question: str, words: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._question = question
        self._words = list(words)

    def compose(self) -> ComposeResult:
        """Textual's. The first of a pair is the answer, the second what is shown."""
        with Vertical(id="dialog"):
            yield Static(self._question, id="question", markup=False)
            yield OptionList(*(Option(shown, id=word) for word, shown in self._words), markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen."""
        self.dismiss(event.option.id)

    def action_leave(self) -> None:
        """Not chosen."""
        self.dismiss(None)


class AskLine(ModalScreen[str | None]):
    """One line of text; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        """Textual's."""
        with Vertical(id="dialog"):
            yield Static(self._question, id="question", markup=False)
            field = Input(self._value, select_on_focus=False)
            field.cursor_blink = False
            yield field

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Entered."""
        self.dismiss(event.value.strip() or None)

    def action_leave(self) -> None:
        """Not entered."""
        self.dismiss(None)


class Read(ModalScreen[None]):
    """A text in full: an execution, an event, a line of a log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "leave", "Close"),
        Binding("y", "copy", "Copy"),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Textual's."""
        with Vertical(id="sheet"):
            yield Static(self._title, id="question", markup=False)
            with VerticalScroll(id="text"):
                yield Static(self._text, markup=False)
            yield Static("esc Close   y Copy   ↑↓ Scroll", id="consequence", markup=False)

    def on_mount(self) -> None:
        """Keys scroll it."""
        self.query_one("#text", VerticalScroll).focus()

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """The whole text."""
        self.post_message(Copy(self._text))

    def action_scroll(self, step: int) -> None:
        """So many lines down."""
        self.query_one("#text", VerticalScroll).scroll_relative(y=step, animate=False)
