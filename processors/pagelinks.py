"""Links on a page: its own address, its pictures, and the other articles it points to."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from processors.fold import fold
from processors.jsonld import plain_text
from schemas.records import RelatedLink

_RELATED_WORDINGS = (
    "إقرأ أيضا",  # read also
    "اقرأ المزيد",  # read more
    "اقرأ أيضا في",  # read also in
    "شاهد أيضا",  # see also
    "انظر أيضا",  # look also
    "طالع أيضا",  # peruse also
    "يمكنك أيضا قراءة",  # you can also read
    "مواضيع ذات صلة",  # related topics
    "مواضيع ذات علاقة",  # related topics
    "مواضيع متعلقة",  # related topics
    "المواضيع ذات الصلة",  # the related topics
    "الموضوعات المتعلقة",  # the related topics
    "موضوعات متعلقة",  # related topics
    "مقالات ذات صلة",  # related articles
    "أخبار ذات صلة",  # related news
    "أخبار متعلقة",  # related news
    "أخبار ذات علاقة",  # related news
    "ذات صلة",  # related
    "المزيد حول هذه القصة",  # more on this story
    "المزيد من الأخبار",  # more news
    "قصص مقترحة",  # suggested stories
    "قد يعجبك",  # you may like
    "قد يعجبك أيضا",  # you may also like
    "قد يهمك أيضا",  # may interest you too
    "Read also",
    "Read more",
    "Related",
    "Related articles",
    "Related stories",
    "Related news",
    "More on this story",
    "See also",
    "À lire aussi",
    "Lire aussi",
    "Sur le même sujet",  # on the same subject
    "Articles liés",  # related articles
)
_RELATED = frozenset(fold(wording) for wording in _RELATED_WORDINGS)

_LABEL_TAGS = ("h2", "h3", "h4", "h5", "h6", "b", "strong", "p", "div", "span", "li", "td", "th")
_MAX_LABEL_CHARS = 40
_MIN_TITLE_WORDS = 4
_MAX_TITLE_CHARS = 300
_MAX_LEVELS_UP = 3
MAX_RELATED = 20
MAX_URL_CHARS = 2_000


def web_url(value: str | None, base: str | None) -> str | None:
    """An absolute http(s) address, resolved against ``base``; ``None`` for anything else."""
    value = "".join((value or "").split())
    if not value or len(value) > MAX_URL_CHARS:
        return None
    try:
        joined = urljoin(base or "", value)
        parts = urlsplit(joined)
    except ValueError:
        return None
    return joined if parts.scheme in {"http", "https"} and parts.hostname else None


def related_links(tree: HtmlElement, base: str | None, own: str | None) -> tuple[RelatedLink, ...]:
    """Headlines of other articles under a heading such as "read also", at most 20.

    Args:
        tree: The parsed page.
        base: Address of the page, to resolve links.
        own: Canonical address, which is not related to itself.
    """
    found: dict[str, RelatedLink] = {}
    for label in tree.iter(*_LABEL_TAGS):
        if not _is_related_label(label):
            continue
        for anchor in _links_under(label):
            title = plain_text(anchor.text_content() or "") or plain_text(anchor.get("title") or "")
            url = web_url(anchor.get("href"), base)
            if len(title.split()) < _MIN_TITLE_WORDS or (url and url in {base, own}):
                continue
            found.setdefault(
                fold(title).strip(" ."), RelatedLink(title=title[:_MAX_TITLE_CHARS], url=url)
            )
            if len(found) == MAX_RELATED:
                return tuple(found.values())
    return tuple(found.values())


def _is_related_label(element: HtmlElement) -> bool:
    """Whether an element holds nothing but a wording that announces other articles."""
    if len(element) > 3:
        return False
    text = plain_text("".join(_short_text(element)))
    return len(text) <= _MAX_LABEL_CHARS and fold(text).strip(" :.-|") in _RELATED


def _short_text(element: HtmlElement) -> Iterator[str]:
    """An element's text, given up soon after it is too long for a label: containers are cheap."""
    left = 4 * _MAX_LABEL_CHARS
    for text in element.itertext():
        yield text[: left + 1]
        left -= len(text)
        if left < 0:
            return


def _links_under(label: HtmlElement) -> Iterator[HtmlElement]:
    """Links after the label: among its next siblings, else its ancestors' next siblings."""
    element = label
    for _ in range(_MAX_LEVELS_UP):
        links = [link for sibling in _following(element) for link in sibling.iter("a")]
        if links:
            yield from links
            return
        parent = element.getparent()
        if parent is None or parent.tag in {"body", "html", "article", "main"}:
            return
        element = parent


def _following(element: HtmlElement) -> Iterator[HtmlElement]:
    """Next siblings up to the next heading, or up to a paragraph of running text."""
    for sibling in element.itersiblings():
        if sibling.tag in {"script", "style"}:
            continue
        if sibling.tag in {"h1", "h2"}:
            return
        if sibling.tag == element.tag and sibling.tag in {"h3", "h4", "h5", "h6"}:
            return
        if sibling.tag == "p" and len(sibling.text_content()) > _MAX_TITLE_CHARS:
            return
        yield sibling
