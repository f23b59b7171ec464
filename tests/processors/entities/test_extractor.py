"""Entities as a whole: one per thing, its id, its best name, its roles."""

from __future__ import annotations

import pytest

from processors.entities import EntityExtractor, GazetteerExtractor, load_gazetteer
from schemas.records import Entity


@pytest.fixture(scope="module")
def extractor() -> EntityExtractor:
    return load_gazetteer()


def by_id(entities: tuple[Entity, ...]) -> dict[str, Entity]:
    assert len({entity.id for entity in entities}) == len(entities)
    return {entity.id: entity for entity in entities}


def test_names_itself(extractor: EntityExtractor) -> None:
    assert extractor.name == "gazetteer"
    assert extractor.version == load_gazetteer().version


def test_nothing_in_nothing(extractor: EntityExtractor) -> None:
    assert extractor.extract(None, "") == ()
    # "Syria" in the headline only
    assert extractor.extract("سوريا", "") == ()


def test_aliases_merge_and_order_is_by_first_mention(extractor: EntityExtractor) -> None:
    # "Russia warned America; the United States answered. Daesh, Islamic State organisation."
    body = "حذرت روسيا أمريكا فردت الولايات المتحدة. داعش هو تنظيم الدولة الإسلامية."
    entities = extractor.extract(None, body)
    assert [entity.id for entity in entities] == ["q:Q159", "q:Q30", "q:Q2429253"]
    assert [len(entity.mentions) for entity in entities] == [1, 2, 2]


def test_a_place_keeps_its_table_name(extractor: EntityExtractor) -> None:
    (entity,) = extractor.extract(None, "زار أمريكا.")
    assert entity.name == "الولايات المتحدة"


def test_a_person_has_the_longest_name_of_the_article(extractor: EntityExtractor) -> None:
    # headline with the full name in one spelling, body with the last name
    (entity,) = extractor.extract("سيرجي لافروف يصل", "قال لافروف ذلك.")
    assert entity.name == "سيرجي لافروف"
    assert [mention.text for mention in entity.mentions] == ["لافروف"]


def test_a_name_broken_by_a_quotation_mark_is_the_last_choice(extractor: EntityExtractor) -> None:
    (both,) = extractor.extract(None, "تنظيم «داعش» تراجع، وقتل داعش المدنيين.")
    assert both.name == "داعش"
    (alone,) = extractor.extract(None, "تنظيم «داعش» تراجع.")
    assert alone.name == "تنظيم داعش"


def test_the_swallowed_article_comes_back_in_the_name(extractor: EntityExtractor) -> None:
    (entity,) = extractor.extract(None, "نسب التصريح للبنتاغون.")
    assert entity.name == "البنتاغون"
    assert entity.mentions[0].text == "لبنتاغون"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # the same person, body, ministry in two spellings
        ("قال سيرجي شويغو ذلك.", "قال سيرغي شويغو ذلك."),
        ("ردت وزارة الخارجية الأمريكية.", "ردت وزارة الخارجية الأميركية."),
        ("رد البنتاغون.", "ردت وزارة الدفاع الأمريكية."),
        ("ردت وزارة الصحة الإثيوبية.", "ردت وزارة الصحة الأثيوبية."),
        ("قالت الصحة العالمية.", "قالت منظمة الصحة العالمية."),
    ],
)
def test_ids_are_stable_across_spellings(
    first: str, second: str, extractor: EntityExtractor
) -> None:
    (one,), (other,) = extractor.extract(None, first), extractor.extract(None, second)
    assert one.id == other.id


def test_id_of_a_thing_without_wikidata_id(extractor: EntityExtractor) -> None:
    (entity,) = extractor.extract(None, "وصلت القافلة إلى اللاذقية.")
    assert entity.id == "n:loc:اللاذقيه"


def test_two_persons_of_one_last_name(extractor: EntityExtractor) -> None:
    """The last name goes to the person named last."""
    body = "بدأ حافظ الأسد. حكم الأسد طويلا. ثم جاء بشار الأسد. ورث الأسد السلطة."
    entities = by_id(extractor.extract(None, body))
    assert len(entities["q:Q44329"].mentions) == 2
    assert len(entities["n:per:حافظ_الاسد"].mentions) == 2


@pytest.mark.parametrize(
    ("body", "roles"),
    [
        ("قال وزير الخارجية الأميركي جون كيري ذلك.", ("وزير الخارجية الأميركي",)),
        ("جون كيري، وزير الخارجية الأميركي السابق، غادر.", ("وزير الخارجية الأميركي السابق",)),
        ("وجه رسالة للرئيس السوري بشار الأسد.", ("الرئيس السوري",)),
        ("المتحدث باسم البيت الأبيض، «جوش إيرنست»، نفى.", ("المتحدث باسم البيت الأبيض",)),
        (
            "قال الأمين العام لحلف شمال الأطلسي (الناتو)، «ينس ستولتنبرغ»، ذلك.",
            ("الأمين العام لحلف شمال الأطلسي",),
        ),
        ("قال الوزير كيري، ثم عاد وزير الخارجية جون كيري.", ("وزير الخارجية",)),
        ("قال الوزير جون كيري ذلك.", ("الوزير",)),
        ("مبعوث الأمم المتحدة إلى سوريا ستافان دي ميستورا.", ("مبعوث الأمم المتحدة إلى سوريا",)),
        ("التقى جون كيري وزير الخارجية الروسي سيرغي لافروف.", ("وزير الخارجية الروسي",)),
        ("التقى كيري مساعديه بعد سفر جون كيري.", ()),
    ],
)
def test_roles(body: str, roles: tuple[str, ...], extractor: EntityExtractor) -> None:
    persons = [entity for entity in extractor.extract(None, body) if entity.type == "PER"]
    assert tuple(role for person in persons for role in person.roles) == roles


def test_a_role_belongs_to_the_person_it_stands_before(extractor: EntityExtractor) -> None:
    body = "التقى جون كيري وزير الخارجية الروسي سيرغي لافروف."
    entities = by_id(extractor.extract(None, body))
    assert entities["q:Q22316"].roles == ()
    assert entities["q:Q58217"].roles == ("وزير الخارجية الروسي",)


def test_satisfies_the_interface() -> None:
    extractor: EntityExtractor = load_gazetteer()
    assert isinstance(extractor, GazetteerExtractor)
