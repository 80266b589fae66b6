"""What a search is limited to: finishes, categories, brands, prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import CatalogError
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES


@dataclass(frozen=True)
class Filters:
    """What a search is limited to; None allows everything.

    Attributes:
        finishes, categories, brands: any of these.
        min_price, max_price: bounds, both allowed; shades without a price are left out.

    Raises:
        CatalogError: a finish or category that does not exist.
    """

    finishes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    min_price: float | None = None
    max_price: float | None = None

    def __post_init__(self) -> None:
        for given, words in ((self.finishes, FINISHES), (self.categories, CATEGORIES)):
            if unknown := set(given) - set(words):
                raise CatalogError(
                    f"{sorted(unknown)[0]!r} is none of {', '.join(words)}",
                    reason="query",
                    found=sorted(unknown)[0],
                    needed=words,
                )

    def words(self) -> dict[str, tuple[str, ...]]:
        """What each column that is limited to some words may hold."""
        lists = {"finish": self.finishes, "category": self.categories, "brand": self.brands}
        return {name: words for name, words in lists.items() if words}

    def sql(self) -> list[str]:
        """The conditions, each true for a shade that may be found."""
        found = [f"{name} IN ({quote_words(words)})" for name, words in self.words().items()]
        if self.min_price is not None:
            found.append(f"price >= {float(self.min_price)}")
        if self.max_price is not None:
            found.append(f"price <= {float(self.max_price)}")
        return found


def quote_words(words: Iterable[str]) -> str:
    """Words as a list of SQL strings, whatever is in them."""
    return ", ".join("'" + word.replace("'", "''") + "'" for word in sorted(words))


EVERYTHING = Filters()
