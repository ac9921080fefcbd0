"""What subscribers write to support: free text with identities in it, about what their mood makes them write about."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ds_pipeline.simulation.customers import TEST_CARDS
from ds_pipeline.simulation.subscriptions.behaviour import HOST
from ds_pipeline.simulation.subscriptions.life import ANNUAL, FREE, MONTHLY, Life
from ds_pipeline.simulation.subscriptions.people import (
    LOCALE_NAMES,
    POOL,
    People,
    email_of,
    phone_of,
    pool,
    written,
)  # fmt: skip
from ds_pipeline.simulation.subscriptions.timeline import DAY, WEEK, Ints, Timeline

# By mood: content, cooling, annoyed, fading, leaving.
RATE = np.array([0.002, 0.004, 0.050, 0.030, 0.080])  # tickets per week
TOPICS = ("how_to", "feature", "praise", "invoice", "login", "bug", "slow", "price", "export", "cancel", "competitor")
MIX = np.array(
    [
        [0.28, 0.16, 0.10, 0.16, 0.12, 0.08, 0.04, 0.03, 0.01, 0.01, 0.01],
        [0.22, 0.12, 0.04, 0.16, 0.14, 0.10, 0.08, 0.07, 0.03, 0.02, 0.02],
        [0.04, 0.05, 0.00, 0.12, 0.12, 0.32, 0.20, 0.10, 0.01, 0.03, 0.01],
        [0.06, 0.04, 0.00, 0.10, 0.06, 0.10, 0.06, 0.22, 0.12, 0.14, 0.10],
        [0.02, 0.01, 0.00, 0.10, 0.04, 0.06, 0.04, 0.20, 0.16, 0.25, 0.12],
    ]
)
WITH_IDENTITY, WITH_SIGNATURE, WITH_SECOND = 0.55, 0.45, 0.5  # shares of tickets
LATE_TICKETS = 0.02  # of them recorded a day or two later

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "how_to": (
        "How do I share a folder with somebody outside of our team?",
        "Where can I find the setting for the weekly summary?",
        "Is there a way to undo the import of last night?",
        "Could you explain what the archive does?",
        "I would like to know how the reminders work.",
        "Can two people use one account at the same time?",
        "What is the quickest way to move my notes to another device?",
    ),
    "feature": (
        "It would be great to have a dark mode.",
        "Please add a calendar view, we would use it every day.",
        "Have you thought about an offline mode?",
        "A search across all projects would help us a lot.",
        "Would you consider more colours for the labels?",
    ),
    "praise": (
        "Thank you for the new editor, it is a pleasure to use.",
        "Just wanted to say that your support is excellent.",
        "We love the new overview, keep it up!",
        "The update made my work so much easier, thanks.",
    ),
    "invoice": (
        "I need the invoice of last month with our tax number on it.",
        "The amount on my statement is not the one on the invoice.",
        "Please send me a copy of the last three invoices.",
        "I was charged twice this month.",
        "Could the invoice be issued to our company instead?",
    ),
    "login": (
        "I cannot log in since this morning.",
        "The link to reset my password never arrives.",
        "The app keeps asking for the code of my old phone.",
        "My account is locked and I do not know why.",
    ),
    "bug": (
        "The export of my report stops halfway, again.",
        "My entries of yesterday have disappeared. This is the third time!",
        "The app crashes whenever I open the second tab.",
        "Synchronising has been broken for days and nobody answers.",
        "Since the update nothing is saved any more. This is unacceptable.",
    ),
    "slow": (
        "Everything takes forever to load this week.",
        "It is so slow that I cannot work with it.",
        "Pages time out every other click. Very frustrating.",
        "Why does the search need half a minute?",
    ),
    "price": (
        "The new price is too high for what I use.",
        "Is there a cheaper plan? I cannot justify this any longer.",
        "I am not willing to pay more for the same service.",
        "Do you offer a discount for long-standing customers?",
    ),
    "export": (
        "How do I get all of my data out?",
        "I need a complete copy of everything we stored with you.",
        "Please tell me in which format I can take my projects with me.",
    ),
    "cancel": (
        "How can I cancel my subscription?",
        "I want to end my plan at the end of the month.",
        "Please do not renew my subscription.",
        "Where is the button to close the account?",
        "I hardly use it any more and think about stopping.",
    ),
    "competitor": (
        "A friend showed me another tool that does the same for less.",
        "We are comparing you with two other products at the moment.",
        "Our new partner works with another system, so we may move.",
    ),
}
IDENTITIES = (
    "My name is {name}.",
    "This is {name} from {town}.",
    "You can reach me on {phone}.",
    "My number is {phone}, please call after five.",
    "Please answer to {email}, not to the old address.",
    "The account is under {email}.",
    "My new address is {street}, {town}.",
    "We moved to {street}, {postcode} {town}.",
    "My colleague {other} has the same problem.",
    "{other} from our accounts department asked me to write to you.",
    "Please add {other} ({other_email}) to the conversation.",
    "I spoke to your colleague {other} on the phone last week.",
    "The card I paid with is {card}.",
    "You charged {card} although I had removed it.",
    "I was born on {birth_date}, if you need it to find me.",
    "My wife {other} pays for it, her number is {other_phone}.",
)
GREETINGS = ("Hello,", "Hi,", "Hi there,", "Dear team,", "Good morning,", "", "")
SIGNATURES = ("Regards, {name}", "Thanks, {first}", "Best, {first}", "{name}", "Kind regards\n{name}\n{phone}")
POLITE = ("Thank you in advance.", "Please help.", "I am waiting for your answer.", "", "", "")


def ticket_rows(
    rng: np.random.Generator, timeline: Timeline, life: Life, people: People, *, first_number: int
) -> pa.Table:
    """One row per ticket of a subscriber, recorded within minutes, or a day or two later."""
    subscribed = np.isin(life.standing, (FREE, MONTHLY, ANNUAL))
    stays = np.isin(np.roll(life.standing, -1, axis=1), (FREE, MONTHLY, ANNUAL))
    stays[:, -1] = True
    host, week = np.nonzero((rng.random(life.mood.shape) < RATE[life.mood]) & subscribed & stays)
    opened = week * WEEK + rng.integers(6 * 3600, 7 * DAY - 7200, len(host))
    late = np.where(rng.random(len(host)) < LATE_TICKETS, rng.integers(1, 3, len(host)) * DAY, 0)
    topic = (rng.random(len(host))[:, None] >= np.cumsum(MIX, axis=1)[life.mood[host, week]]).sum(axis=1)
    dice = rng.integers(0, 2**31, (len(host), 24))
    return pa.table(
        {
            HOST: host,
            "ticket_id": first_number + np.arange(len(host)),
            "channel": np.array(["email", "chat", "phone"])[dice[:, 0] % 3],
            "body": pa.array(
                [
                    write(TOPICS[min(kind, len(TOPICS) - 1)], people, int(who), row)
                    for kind, who, row in zip(topic, host, dice, strict=True)
                ],
                pa.string(),
            ),
            "opened_at": timeline.to_timestamps(opened),
            "recorded_at": timeline.to_timestamps(opened + late + 60 * (1 + dice[:, 1] % 90)),
        }
    )


def write(topic: str, people: People, who: int, dice: Ints) -> str:
    """The text of one ticket.

    Args:
        who: position of the writer.
        dice: 24 whole numbers that decide everything.
    """
    share = dice / 2**31
    about = SENTENCES[topic]
    parts = [GREETINGS[dice[2] % len(GREETINGS)], about[dice[3] % len(about)]]
    if share[4] < WITH_SECOND:
        parts.append(about[dice[5] % len(about)])
    if share[6] < WITH_IDENTITY:
        parts.append(IDENTITIES[dice[7] % len(IDENTITIES)])
    parts.append(POLITE[dice[8] % len(POLITE)])
    if share[9] < WITH_SIGNATURE:
        parts.append("\n" + SIGNATURES[dice[10] % len(SIGNATURES)])
    text = " ".join(dict.fromkeys(part for part in parts if part))
    return text.format(**_identities(people, who, dice)) if "{" in text else text


def _identities(people: People, who: int, dice: Ints) -> dict[str, str]:
    """What the slots hold: the writer, and another person, from the same country or from anywhere."""
    theirs = LOCALE_NAMES[people.locale[who] if dice[11] % 3 else dice[12] % len(LOCALE_NAMES)]
    there = pool(theirs)
    first = (there.women if dice[13] % 2 else there.men)[dice[14] % POOL]
    family = there.families[dice[15] % POOL]
    return {
        "name": people.full_name(who),
        "first": people.first[who],
        "phone": people.phone[who],
        "email": people.email[who],
        "street": people.street[who],
        "town": people.town[who],
        "postcode": people.postcode[who],
        "other": written(theirs, first, family),
        "other_email": email_of(first, family, int(dice[16] % 9_000_000)),
        "other_phone": phone_of(theirs, dice[16:24] % 10),
        "card": TEST_CARDS[dice[17] % len(TEST_CARDS)],
        "birth_date": f"{1 + dice[18] % 28}.{1 + dice[19] % 12}.{1945 + dice[20] % 55}",
    }
