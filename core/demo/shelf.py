"""Objects are put on a shelf one by one, and everything planted is counted as it is put there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.demo.dialogues import Author, Dialogue
from core.demo.dice import Dice
from core.demo.planting import Ledger, Planted, lightly_edited, with_identifiers, with_sentence
from core.demo.sentences import bank
from core.model.errors import DeskError


class Shelf:
    """The objects of a demo bucket while it is being made."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._begun: set[str] = set()
        self._marked: set[str] = set()
        self.ledger = Ledger()
        self.objects: dict[str, bytes] = {}

    def dice(self, purpose: str) -> Dice:
        """Return a dice of its own for `purpose`, so that one object does not shift another."""
        return Dice(f"{self._seed}/{purpose}")

    def write(self, key: str, draft: Callable[[Dice], Dialogue], count: int) -> list[Dialogue]:
        """Return `count` new dialogues for the object at `key`; no two begin alike."""
        author = Author(self.dice(key), self._begun)
        return [author.write(draft) for _ in range(count)]

    def put(
        self, family: str, key: str, body: bytes, *, dialogues: int, malformed: int = 0
    ) -> None:
        """Store the bytes of an object that holds so many good and so many broken rows."""
        if key in self.objects:
            raise DeskError("demo.key_twice", "Two demo objects want the same key.", place=key)
        self.objects[key] = body
        self.ledger.rows[family] += dialogues + malformed
        self.ledger.dialogues[family] += dialogues
        if malformed:
            self.ledger.malformed[key] += malformed

    def put_other(self, key: str, body: bytes) -> None:
        """Store an object that holds no dialogue."""
        self.put("", key, body, dialogues=0)

    def plant_identifiers(self, key: str, written: list[Dialogue], every: int) -> None:
        """Give every `every`-th dialogue one invented identifier, in place."""
        dice = self.dice(f"{key}/identifiers")
        for number in range(every // 2, len(written), every):
            written[number] = with_identifiers(written[number], dice, self.ledger)
            self._marked.add(written[number].prompt)

    def plant_names(self, written: list[Dialogue], sentences: Sequence[str], every: int) -> None:
        """Put each sentence with an invented name into a dialogue of its own, in place."""
        for number, sentence in enumerate(sentences):
            at = number * every + 3
            written[at] = with_sentence(written[at], sentence)
            self._marked.add(written[at].prompt)
            self.ledger.facts["named_records"] += 1

    def plant_systems(self, key: str, written: list[Dialogue], share: float) -> None:
        """Give a share of the dialogues a system prompt, in place."""
        dice, systems = self.dice(f"{key}/systems"), bank("common")["systems"]
        for number, dialogue in enumerate(written):
            if dice.chance(share):
                written[number] = dialogue.with_system(dice.one(systems))

    def exact_copies(self, written: Sequence[Dialogue], count: int) -> list[Dialogue]:
        """Return the first `count` dialogues that carry nothing planted a second time."""
        copies = [dialogue for dialogue in written if dialogue.prompt not in self._marked][:count]
        self.ledger.facts["exact_copies"] += len(copies)
        return copies

    def near_copies(self, written: Sequence[Dialogue], count: int) -> list[Dialogue]:
        """Return lightly edited copies of the first `count` unmarked dialogues that allow it."""
        copies: list[Dialogue] = []
        for dialogue in written:
            if len(copies) == count:
                break
            edited = None if dialogue.prompt in self._marked else lightly_edited(dialogue)
            if edited is not None:
                copies.append(edited)
        if len(copies) < count:
            raise DeskError("demo.cannot_edit", "Too few dialogues can be edited lightly.")
        self.ledger.facts["near_pairs"] += count
        return copies

    def planted(self) -> Planted:
        """Return what stands on the shelf, counted."""
        ledger, facts = self.ledger, self.ledger.facts
        return Planted(
            objects=len(self.objects),
            bytes=sum(len(body) for body in self.objects.values()),
            rows={name: count for name, count in ledger.rows.items() if name},
            dialogues={name: count for name, count in ledger.dialogues.items() if name},
            malformed=dict(ledger.malformed),
            pii=dict(ledger.pii),
            pii_records=facts["pii_records"],
            named_records=facts["named_records"],
            exact_copies=facts["exact_copies"],
            near_pairs=facts["near_pairs"],
            shared_prompts=facts["shared_prompts"],
            crisis_lines=facts["crisis_lines"],
            preference_rows=facts["preference_rows"],
            prompt_only_rows=facts["prompt_only_rows"],
            persona_profiles=facts["persona_profiles"],
            empty_objects=sum(not body for body in self.objects.values()),
        )
