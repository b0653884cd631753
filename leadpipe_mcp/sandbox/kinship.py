"""Luck that topics share with their relations, so that much the same people research them.

Everybody rolls for every topic. Some people are broader than others: the broad take the roll of
the subject for that of a topic, the broader that of the field for that of the subject, and so on.
So the audiences of two topics overlap from a little (two fields) to nearly whole (one subject).
"""

from functools import lru_cache
from typing import Literal

from leadpipe_mcp.sandbox.bytewise import BYTE, chosen, number
from leadpipe_mcp.sandbox.dice import dice, rolls
from leadpipe_mcp.sandbox.topics import Topic, TopicType, near_name, subject_of

Question = Literal["whether", "how much"]
"""What is rolled for: the lower, the sooner a person is interested; the higher, the more."""
# How many people are broad enough to research all that is business, or private, and whole fields.
_EVERYTHING, _FIELD = 0.18, 0.42
# The same for a whole subject; topics differ in how close to its core they are.
_LOOSEST, _CLOSEST = 0.45, 0.95


@lru_cache(maxsize=64)
def rolls_for(people: int, topic: Topic, question: Question) -> int:
    """Everybody's roll for a topic, 0 to 127."""
    subject = _subject(people, subject_of(topic), topic.industry, topic.type, question)
    return _shared(people, f"topic {topic.id} {question}", subject, closeness(topic.id))


def closeness(topic_id: int) -> float:
    """How large a part of all people take the topic for its whole subject."""
    if near_name(topic_id):
        return _CLOSEST
    return _LOOSEST + (_CLOSEST - _LOOSEST) * dice(f"closeness {topic_id}").random()


@lru_cache(maxsize=32)
def _subject(people: int, subject: str, industry: str, kind: TopicType, question: Question) -> int:
    field = _field(people, industry, kind, question)
    return _shared(people, f"subject {subject} {question}", field, _FIELD)


@lru_cache(maxsize=16)
def _field(people: int, industry: str, kind: TopicType, question: Question) -> int:
    everything = rolls(f"{'private life' if kind == 'b2c' else 'business'} {question}", people)
    return _shared(people, f"field {industry} {question}", everything, _EVERYTHING)


def _shared(people: int, seed: str, whole: int, part: float) -> int:
    """Rolls of their own for all but a part of people, who take those for the whole."""
    broad = bytes(255 * (breadth < part * BYTE) for breadth in range(BYTE))
    return chosen(number(_breadth(people).translate(broad)), whole, rolls(seed, people))


@lru_cache(maxsize=2)
def _breadth(people: int) -> bytes:
    """How many others everybody is broader than; the broadest have 0."""
    return dice("who is broad").randbytes(people)
