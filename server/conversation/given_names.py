"""Given names."""

from __future__ import annotations

from functools import cache

from faker.providers.person.en_US import Provider

# Names that are ordinary words as well: not evidence by themselves.
AMBIGUOUS_NAMES = frozenset(
    """
        amber angel april autumn bailey bill brandy brandon carol carter chance charity chase christian clay
        cody colin cooper courtney crystal dale dawn dean destiny devon don drew eric faith frank gene glen
        grace grant heather heaven holly hope hunter ivy jade jasmine jean jewel john jordan joy june kay
        ken lane levi mark mason may max melody miles miracle misty pat penny price ray rich rob robin rose
        roy ruby sandy serenity shelby sky skip stone sterling stormy sue summer taylor terry trey trinity
        tyler van victor wade ward warren wesley will willow
    """.split()
) - frozenset(
    """
        john ken eric brandon colin tyler wesley warren taylor jordan levi glen don roy bailey courtney
    """.split()
)


@cache
def given_names() -> frozenset[str]:
    """Return unambiguous given names, in lower case."""
    return frozenset(name.lower() for name in Provider.first_names if name.isalpha()) - AMBIGUOUS_NAMES
