"""What came of one pushed file, in the form in which it is printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from huilian.cli import screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import RenderableType

    from huilian.errors import FileRefused, HuilianError
    from huilian.institution.push import Pushed

__all__ = ["ACCEPTED", "REFUSED", "SPOOLED", "Answer"]

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
SPOOLED: Final = "spooled"
"""A server is away: the file waits on this machine."""

_COUNTS: Final = {
    "rows": "总行数",
    "accepted": "入账",
    "rejected": "退回",
    "changed": "变动",
    "unchanged": "未变",
    "missing": "上期有本期无",
}
_STATUS: Final = {
    ACCEPTED: Text("已接收 (accepted)", "bold green"),
    REFUSED: Text("已拒绝 (refused)", "bold red"),
    SPOOLED: Text("已留在待发区 (spooled)", "bold yellow"),
}


@dataclass(frozen=True)
class Answer:
    """What came of a push.

    Args:
        file: the file pushed.
        submission: its number, or None when it never became one.
        status: "accepted", "refused" or "spooled".
        counts: rows, accepted, rejected, changed, unchanged, missing.
        rejections: the file with the rejected rows, if there are any.
        code: why it was not accepted.
        chinese: the same in words.
        english: the same in English, where it differs.
        answer: the receipt in the sender's own format, if it has one.
        refused_here: whether it was refused on this machine, so that the county has to be told of it.
        untold: why the county was not told.
    """

    file: Path
    submission: str | None
    status: str
    counts: Mapping[str, int]
    rejections: Path | None = None
    code: str | None = None
    chinese: str | None = None
    english: str | None = None
    answer: Path | None = None
    refused_here: bool = False
    untold: HuilianError | None = None

    @staticmethod
    def of_receipt(file: Path, pushed: Pushed) -> Answer:
        """Return what a receipt says."""
        receipt = pushed.receipt
        counts = {name: receipt[name] for name in _COUNTS}
        return Answer(
            file,
            receipt["submission"],
            receipt["status"],
            counts,
            pushed.rejections,
            receipt["code"],
            receipt["message"],
            answer=pushed.answer,
        )

    @staticmethod
    def of_error(
        file: Path,
        error: HuilianError,
        status: str,
        manifest: Mapping[str, Any] | None = None,
        rejections: Path | None = None,
    ) -> Answer:
        """Return that there is no receipt, and why; of what was translated the rows are known."""
        rows = manifest["rows"] if manifest else 0
        rejected = manifest["rejected"] if manifest and status == SPOOLED else rows
        counts = dict.fromkeys(_COUNTS, 0) | {"rows": rows, "rejected": rejected}
        submission = manifest["submission"] if manifest else None
        return Answer(file, submission, status, counts, rejections, error.code, error.chinese, error.english)

    @staticmethod
    def of_refusal(file: Path, refusal: FileRefused) -> Answer:
        """Return that a file was refused on this machine."""
        answer = Answer.of_error(file, refusal, REFUSED)
        return replace(answer, submission=refusal.submission, refused_here=refusal.submission is not None)

    def as_json(self) -> dict[str, Any]:
        """Return the keys that programs read; `code` and `message` when it was not accepted."""
        facts: dict[str, Any] = {"submission": self.submission, "status": self.status, **self.counts}
        facts["rejections"] = str(self.rejections) if self.rejections else None
        facts["answer"] = str(self.answer) if self.answer else None
        if self.status != ACCEPTED:
            facts |= {"code": self.code, "message": self.chinese}
        return facts

    def as_table(self) -> RenderableType:
        """Return what people read."""
        from rich.console import Group  # noqa: PLC0415  # only where something is shown

        numbers = [f"{self.counts[name]:,}" for name in _COUNTS]
        parts: list[RenderableType] = [Text.assemble((self.file.name, "bold"), "  ", _STATUS[self.status])]
        if self.submission:
            parts.append(Text(f"提交 (submission) {self.submission}", "dim"))
        parts.append(screen.table([">" + heading for heading in _COUNTS.values()], [numbers]))
        if self.code:
            parts.append(self.reason())
            if self.english and self.english != self.chinese:
                parts.append(Text(self.english, "dim"))
        if self.rejections:
            # An insurer's receipt names its rejected rows itself.
            both = "回执与" if self.answer == self.rejections else ""
            parts.append(Text.assemble((f"{both}退回明细 (rejected rows)：", "yellow"), str(self.rejections)))
        if self.answer and self.answer != self.rejections:
            parts.append(self.own_format())
        if self.status == SPOOLED:
            parts.append(Text("稍后再次运行同一命令即可继续 (run the same command again to go on)", "yellow"))
        return Group(*parts)

    def own_format(self) -> Text:
        """Return where the receipt in the sender's own format is."""
        return Text.assemble(("回执文件 (receipt, in its own format)：", "dim"), str(self.answer))

    def reason(self) -> Text:
        """Return code and text of why it was not accepted."""
        return Text(f"{self.code}：{self.chinese}", "red")

    def not_told(self) -> Text:
        """Return that the county has not been told of a refusal, why, and what tells it."""
        why = f"{self.untold.code}：{self.untold.chinese}" if self.untold else ""
        what = "再次运行同一命令即可告知 (the county has not been told; the same command will tell it)"
        return Text(f"这次退回尚未告知县里（{why}）；{what}", "yellow")
