"""Compare names of companies and people, and classes of legal form, against expectations written by hand."""

import pytest

from matching.standardise import FORMS


def form(name: str, value: str, country: str = "") -> tuple[str, ...]:
    return FORMS[name]([value], [country])[0]


@pytest.mark.parametrize(
    ("value", "country", "expected", "legal_form"),
    [
        ("Ashcroft Foods PLC", "gb", "ashcroft foods", "*:plc"),
        ("Baker & Partners L.L.P.", "gb", "baker partners", "*:llp"),
        ("Murphy Designated Activity Company", "ie", "murphy", "ie:dac"),
        ("I.B.M. Corp.", "us", "ibm", "*:inc"),
        ("Jones Law, PLLC", "us", "jones law", "us:pllc"),
        ("Harbor Dental, P.C.", "us", "harbor dental", "*:pc"),
        ("Bombardier Ltée", "ca", "bombardier", "*:ltd"),
        ("BHP Billiton Pty Ltd", "au", "bhp billiton", "*:pty"),
        ("Grab Holdings Pte. Ltd.", "sg", "grab holdings", "sg:pte"),
        ("Infosys Pvt. Ltd.", "in", "infosys", "*:pvt"),
        ("Petron Sdn. Bhd.", "my", "petron", "*:sdnbhd"),
        ("PT Telkom Indonesia", "id", "telkom indonesia", "id:pt"),
        ("Müller & Söhne GmbH & Co. KG", "de", "muller sohne", "*:gmbhcokg"),
        ("Warth Wirtschaftsprüfungsgesellschaft mbH", "de", "warth", "*:gmbh"),
        ("Gleiss Lutz PartG mbB", "de", "gleiss lutz", "de:partgmbb"),
        ("Siemens Aktiengesellschaft", "de", "siemens", "*:ag"),
        ("Huber Ges.m.b.H.", "at", "huber", "*:gmbh"),
        ("Nestlé AG", "ch", "nestle", "*:ag"),
        ("Dupont S.à r.l.", "lu", "dupont", "*:sarl"),
        ("SARL Boulangerie Martin", "fr", "boulangerie martin", "*:sarl"),
        ("Carrefour S.A.S.", "fr", "carrefour", "*:sas"),
        ("Eni S.p.A.", "it", "eni", "*:spa"),
        ("Rossi s.r.l.", "it", "rossi", "*:srl"),
        ("Construcciones Pérez, S.L.U.", "es", "construcciones perez", "es:sl"),
        ("Grupo Lala, S.A. de C.V.", "mx", "group lala", "*:sadecv"),
        ("Padaria Sul Ltda.", "br", "padaria sul", "*:ltda"),
        ("Magazine Luiza S/A", "br", "magazine luiza", "*:sa"),
        ("Sonae Lda.", "pt", "sonae", "*:lda"),
        ("Philips B.V.", "nl", "philips", "*:bv"),
        ("Solvay N.V.", "be", "solvay", "*:nv"),
        ("Maersk A/S", "dk", "marsk", "*:as"),
        ("Lego ApS", "dk", "lego", "dk:aps"),
        ("Equinor ASA", "no", "equinor", "no:asa"),
        ("Volvo AB (publ)", "se", "volvo", "*:ab"),
        ("Nokia Oyj", "fi", "nokia", "fi:oyj"),
        ("Osaühing Tiku", "ee", "tiku", "ee:ou"),
        ("SIA Latvijas Maize", "lv", "latvijas maize", "lv:sia"),
        ("UAB Gintaras", "lt", "gintaras", "lt:uab"),
        ("Kowalski Sp. z o.o.", "pl", "kowalski", "pl:spzoo"),
        ("Škoda Auto a.s.", "cz", "skoda auto", "*:as"),
        ("Novák spol. s r.o.", "cz", "novak", "*:sro"),
        ("Magyar Posta Zrt.", "hu", "magyar posta", "hu:zrt"),
        ("Jadran d.o.o.", "hr", "jadran", "*:doo"),
        ("Dacia S.R.L.", "ro", "dacia", "*:srl"),
        ("Ромашка ЕООД", "bg", "romashka", "bg:eood"),
        ("ΟΤΕ Α.Ε.", "gr", "ote", "*:ae"),
        ("ООО Ромашка", "ru", "romashka", "*:ooo"),
        ("ТОВ Київ", "ua", "kiiv", "ua:tov"),
        ("Koç San. ve Tic. A.Ş.", "tr", "koc", "*:as"),
        ("株式会社トヨタ", "jp", "toyota", "jp:kk"),
        ("삼성전자 주식회사", "kr", "samseongjeonja", "kr:jusik"),
        ("腾讯有限公司", "cn", "tengxun", "*:ltd"),
        ("Almarai W.L.L.", "bh", "almarai", "*:wll"),
    ],
)
def test_a_legal_form_is_taken_off_and_named(value: str, country: str, expected: str, legal_form: str) -> None:
    assert form("company_name", value, country) == (expected,)
    assert form("legal_form", value, country) == (legal_form,)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Müller GmbH", "Mueller GmbH", "MULLER G.m.b.H.", "Müller Gesellschaft mit beschränkter Haftung"),
        ("Dupont S.à r.l.", "Dupont SARL", "Dupont S.A.R.L.", "Dupont s. à r. l."),
        ("Smith & Sons Ltd", "Smith and Sons Limited", "The Smith & Sons Ltd.", "Smith & Sons"),
        ("Ashcroft Foods PLC", "Foods, Ashcroft PLC", "ASHCROFT FOODS P.L.C."),
        ("Harrow Manufacturing Inc", "Harrow Mfg Incorporated", "Harrow Mfg., Inc."),
        ("Boeing Company, The", "The Boeing Co.", "Boeing"),
        ("McDonald's Corp", "McDonalds Corporation", "MCDONALD’S"),
        ("H&M AB", "H & M AB", "H and M"),
        ("J. P. Morgan", "J.P. Morgan", "JP Morgan & Co."),
        ("Kowalski Sp. z o.o.", "Kowalski spółka z ograniczoną odpowiedzialnością", "KOWALSKI SP Z O O"),
        ("ООО Ромашка", "OOO Romashka", "Общество с ограниченной ответственностью «Ромашка»"),
        ("Deutsche Post AG", "Deutsche Post AG, Zweigniederlassung Bonn"),
        ("Acme (UK) Ltd", "Acme UK Limited"),
        ("Acme™ Ltd", "\u202eAc\u200bme Ltd\u202c", "ＡＣＭＥ Ltd"),
    ],
)
def test_spellings_of_one_company_have_one_compare_name(spellings: tuple[str, ...]) -> None:
    assert len({form("company_name", spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Acme Ltd t/a Roadrunner", ("acme", "roadrunner")),
        ("Smith LLC d/b/a Joe's Diner", ("smith", "joes diner")),
        ("Newco Inc. (formerly Oldco LLC)", ("newco", "oldco")),
        ("Neu GmbH, vormals Alt AG", ("neu", "alt")),
        ("Northern Widget Works (NWW)", ("northern widget works", "nww")),
    ],
)
def test_a_trading_or_former_name_is_a_name_of_its_own(value: str, expected: tuple[str, ...]) -> None:
    assert form("company_name", value) == expected


def test_different_legal_entities_of_one_brand_keep_what_tells_them_apart() -> None:
    names = {form("company_name", value) for value in ("Acme (UK) Ltd", "Acme (Ireland) Ltd", "Acme Holdings Ltd")}

    assert len(names) == 3


def test_a_name_that_is_only_a_legal_form_is_kept() -> None:
    assert form("company_name", "Limited") == ("limited",)
    assert form("company_name", "The") == ("the",)


def test_a_plain_word_is_a_legal_form_only_in_its_country_or_by_its_spelling() -> None:
    assert form("company_name", "Bella Spa", "us") == ("bella spa",)
    assert form("company_name", "Bella Spa", "it") == ("bella",)
    assert form("company_name", "Bella SpA") == ("bella",)
    assert form("legal_form", "Bella Spa") == ()


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("NV Energy", "us", "nv energy"),
        ("SA Recycling LLC", "us", "sa recycling"),
        ("SAS Institute", "", "sas institute"),
        ("AS Roma S.p.A.", "it", "as roma"),
        ("AB Volvo", "se", "volvo"),
        ("S.A. Brain & Company", "", "brain"),
        ("Ltd Commodities LLC", "us", "ltd commodities"),
    ],
)
def test_a_short_form_opens_a_name_only_where_it_is_told(value: str, country: str, expected: str) -> None:
    assert form("company_name", value, country) == (expected,)


def test_a_comma_between_two_surnames_is_no_inversion() -> None:
    assert form("company_name", "Smith, Jones LLP") == ("smith jones",)


@pytest.mark.parametrize(
    ("country", "names"),
    [
        ("ch", ("Muster AG", "Muster SA", "Muster Société Anonyme")),
        ("ch", ("Muster GmbH", "Muster Sàrl", "Muster Sagl")),
        ("be", ("Bier BV", "Bier SRL", "Bier SPRL", "Bier société à responsabilité limitée")),
        ("be", ("Bier NV", "Bier SA")),
        ("be", ("Hulp VZW", "Hulp ASBL")),
        ("de", ("Bau GmbH & Co. KG", "Bau GmbH und Co. KG", "Bau GmbH u. Co. KG")),
        ("at", ("Bau Ges.m.b.H. & Co KG", "Bau GmbH und Co KG")),
    ],
)
def test_one_legal_form_in_the_languages_of_one_country_is_one(country: str, names: tuple[str, ...]) -> None:
    assert len({form("legal_form", name, country) for name in names}) == 1
    assert len({form("company_name", name, country) for name in names}) == 1


def test_a_legal_form_given_alone_is_named() -> None:
    assert form("legal_form", "GmbH & Co. KG") == ("*:gmbhcokg",)
    assert form("legal_form", "Private Limited Company") == form("legal_form", "Ltd")


@pytest.mark.parametrize("value", ["n/a", "Test", "TEST GmbH", "Unknown Ltd", "xxx", "tbd", "-", "?", " ", "see notes"])
def test_a_placeholder_is_no_company(value: str) -> None:
    assert form("company_name", value) == ()


def test_a_company_may_be_named_like_a_weak_placeholder() -> None:
    assert form("company_name", "X Corp.") == ("x",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Smith, Dr. Robert A.", "robert a smith"),
        ("Bob A. Smith", "robert a smith"),
        ("Herr Prof. Dr. Jürgen Müller", "jurgen muller"),
        ("Juergen Mueller", "jurgen muller"),
        ("Иван Петров", "ivan petrov"),
        ("van der Berg, Jan", "jan van der berg"),
        ("O'Brien, Pat (PhD)", "pat obrien"),
        ("John Smith Jr.", "john smith"),
        ("Smith, MBA", "smith"),
    ],
)
def test_a_person_has_one_compare_name(value: str, expected: str) -> None:
    assert form("person_name", value) == (expected,)
