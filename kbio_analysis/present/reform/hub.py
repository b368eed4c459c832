"""Sentences and tables about the trial hub: the gap, the growth it takes, the chance and its error."""

import pandas as pd

from kbio_analysis.models.trial_hub import MAIN_SCOPE, HubRace
from kbio_analysis.present.text import chance, chance_range, count, join, odds_word, pct, signed_pct

SCOPES = {
    "all_trials": "all industry-sponsored drug trials",
    "single_country": "single-country trials",
    "multi_country": "multi-country trials",
    "report_of_2013": "the report of 2013 (another count)",
}
"""What a scope counts, as written."""

COUNTRIES = {"AUS": "Australia", "ESP": "Spain", "GBR": "Britain", "DEU": "Germany", "CAN": "Canada", "CHN": "China"}

ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


def place(rank: int) -> str:
    """``third``, ``6th``."""
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10 if rank % 100 not in (11, 12, 13) else 0, "th")
    return ORDINALS.get(rank, f"{rank}{suffix}")


def gap_sentence(race: HubRace, *, rival_growth_pct: float) -> str:
    """The share against the holder of the place, and the growth that meets it."""
    year, row = int(race.shares.index[-1]), race.shares.iloc[-1]
    lead = row.own - row.rival
    who = COUNTRIES.get(row.rival_geo, "whoever held the place")
    text = f"In {year} Korea had {pct(row.own, 2)} of all country entries and {who} {pct(row.rival, 2)}"
    text += f", {abs(lead):.2f} points {'more' if lead < 0 else 'less'}"
    if race.growth_needed_pct is None:
        return f"{text}; no year is left to change that."
    moving = (
        "stands still" if abs(rival_growth_pct) < 0.05 else f"changes by {signed_pct(rival_growth_pct)} a year itself"
    )
    if race.growth_needed_pct <= 0:
        own = signed_pct(race.growth_needed_pct)
        return f"{text}. If that share {moving}, Korea's may change by {own} a year and still meet it."
    return (
        f"{text}. If that share {moving}, Korea's must grow {pct(race.growth_needed_pct)} a year to meet it in "
        f"{race.target_year}."
    )


def chance_sentence(race: HubRace) -> str:
    """The chance of the place by the rank moves, with the error of so few, and by the walk of shares."""
    main = race.by_scope[MAIN_SCOPE]
    text = (
        f"The {count(len(main.moves), 'yearly move')} seen give a chance of {chance(main.chance)} of "
        f"{place(race.target_rank)} or better in {race.target_year}, but so few allow "
        f"{chance_range(main.low, main.high)}"
    )
    if race.gap is None:
        return f"{text}; the shares known are too few for a second reading."
    walk = f"on {count(race.gap.steps, 'step')} only, reads {chance(race.gap.chance)}"
    return f"{text}. The ratio of the two shares, {walk}."


def base_rate_sentence(race: HubRace) -> str:
    """How often the place was held in the years counted, with its exact range."""
    low, high = race.held_range
    held = "none" if race.held == 0 else str(race.held)
    return (
        f"In {held} of the {count(race.years_seen, 'year')} with a rank was Korea {place(race.target_rank)} or better "
        f"(95% range of such a share {chance_range(low, high)})."
    )


def scope_sentence(race: HubRace) -> str:
    """Where Korea stands in each scope; which scope the target means is not said by the strategy."""
    parts, reached = [], []
    for scope, found in race.by_scope.items():
        parts.append(f"{place(found.latest_rank)} in {SCOPES[scope]} ({found.latest_year})")
        if found.latest_rank <= race.target_rank:
            reached.append(SCOPES[scope])
    tail = (
        f"By {join(reached)} the aim has been met already; the strategy does not say which count it means."
        if reached
        else "In none of them has the aim been met."
    )
    return f"Korea stood {join(parts)}. {tail}"


def break_sentence(trials: pd.DataFrame) -> str:
    """Why the report of 2013 stands alone: the largest country's share in it and in the next year counted."""
    shares = trials[(trials.measure == "share_pct") & (trials.geo == "USA")].sort_values("year")
    old, new = (shares[shares.scope == s] for s in ("report_of_2013", MAIN_SCOPE))
    if old.empty or new.empty:
        return "No report of another count is held."
    first, second = old.iloc[-1], new.iloc[0]
    return (
        f"The report of {first.year} gave the United States {pct(first.value, 0)} where {second.year} has "
        f"{pct(second.value)}: it counts something else, so its figures are shown alone and never as a change."
    )


def vintage_sentence(before: HubRace, after: HubRace) -> str:
    """How one more year of ranks moved the chance."""
    old, new = before.by_scope[MAIN_SCOPE], after.by_scope[MAIN_SCOPE]
    if old.latest_year == new.latest_year:
        return f"No rank after {old.latest_year} had come out in between, so the chance is unchanged."
    change = round(100 * new.chance) - round(100 * old.chance)
    move = "hardly moved it" if abs(change) < 1 else f"moved it {abs(change)} points {'up' if change > 0 else 'down'}"
    weight = ": so much hangs on one year" if abs(change) >= 10 else ""
    return (
        f"On what was known at the end of 2024 (rank {old.latest_rank} of {old.latest_year}) the same rule gave "
        f"{chance(old.chance)}; the rank of {new.latest_year} ({new.latest_rank}) {move}, to "
        f"{chance(new.chance)}{weight}."
    )


def answer_hub(race: HubRace) -> str:
    """The hub in one sentence."""
    main, row = race.by_scope[MAIN_SCOPE], race.shares.iloc[-1]
    return (
        f"{place(race.target_rank).capitalize()} place among trial hubs takes a share above {pct(row.rival, 2)} where "
        f"Korea has {pct(row.own, 2)}, and is {odds_word(main.chance)} by {race.target_year} ({chance(main.chance)}, "
        f"with {chance_range(main.low, main.high)} allowed by {count(len(main.moves), 'yearly move')})."
    )


def scope_table(race: HubRace) -> pd.DataFrame:
    """Latest rank, moves and chance by scope."""
    rows = []
    for scope, history in race.histories.items():
        found = race.by_scope.get(scope)
        years = f"{history.index.min()}–{history.index.max()}" if len(history) > 1 else str(history.index.max())
        rows.append(
            (
                SCOPES[scope].capitalize(),
                years,
                int(history.iloc[-1]),
                None if found is None else len(found.moves),
                None if found is None else found.chance,
                "–" if found is None else chance_range(found.low, found.high),
            )
        )
    columns = ["Scope", "Years", "Latest rank", "Yearly moves", "Chance of the place", "Allowed by so few moves"]
    return pd.DataFrame(rows, columns=columns)


def share_table(race: HubRace) -> pd.DataFrame:
    """Korea's share beside that of the place's holder, by year."""
    frame = race.shares.reset_index()
    frame["year"] = frame["year"].astype(str)
    frame["rival_geo"] = [COUNTRIES.get(g, g or "from the published gap") for g in frame.rival_geo]
    return frame.set_axis(["Year", "Korea, %", f"{place(race.target_rank).capitalize()} place, %", "Held by"], axis=1)
