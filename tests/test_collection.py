"""The address of a collection: read and written without loss, and shown without user and password."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import BadRequest
from assistant.system.collection import Collection, is_address, is_foreign_address

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(
    lambda name: name.isprintable() and name == name.strip()
)
words = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(names, words, words, st.sampled_from(["host", "host:5433", "[::1]:5432", "a,b:1", ""]))
def test_an_address_comes_back_and_its_password_is_not_shown(name: str, user: str, password: str, host: str) -> None:
    secret = f"{password}-s3cret"
    who = f"{quote(user, safe='')}:{quote(secret, safe='')}@"
    given_address = f"postgresql://{who}{host}/data?sslmode=require&collection={quote(name)}&connect_timeout=3"
    collection = Collection.parse(given_address)
    assert collection.name == name
    assert "collection" not in collection.conninfo
    assert Collection.parse(collection.address) == collection
    shown = str(collection)
    assert shown == f"postgresql://{host}/data?collection={quote(name)}"
    assert "s3cret" not in shown + repr(collection)
    assert Collection.parse(shown).name == name


@pytest.mark.parametrize("query", ["password=s3cret", "user=a&password=s3cret", "sslpassword=s3cret"])
def test_a_password_in_the_query_is_not_shown(query: str) -> None:
    collection = Collection.parse(f"postgres://host/data?{query}&collection=x")
    assert "s3cret" in collection.conninfo
    assert "s3cret" not in str(collection) + repr(collection)


@pytest.mark.parametrize(
    "address",
    [
        *("postgresql://u:s3cret@host/data", "postgresql://u:s3cret@host/data?collection=%20"),
        *("postgresql://u:s3cret@host:port/data?collection=x", "postgresql://u:s3cret@[::1/data?collection=x"),
        *("postgresql://u:s3cret@host/data?collection=a%0Ab", f"postgresql://u:s3cret@host/?collection={'x' * 101}"),
    ],
)
def test_an_address_that_cannot_be_meant_is_one_sentence_without_it(address: str) -> None:
    with pytest.raises(BadRequest, match=r"postgresql://user@host/database\?collection=NAME\.$") as refused:
        Collection.parse(address)
    assert "s3cret" not in str(refused.value)


def test_the_name_may_come_from_elsewhere() -> None:
    assert Collection.parse("postgresql://host/data", "notes").name == "notes"
    assert Collection.parse("postgresql://host/data?collection=x", "notes").name == "x"


def test_an_address_is_told_from_a_folder() -> None:
    assert is_address(" postgresql://host/data")
    assert is_address("postgres://host")
    for folder in ("index", "/srv/postgresql", "postgresql:", "http://host", "postgresql/://x"):
        assert not is_address(folder)


@pytest.mark.parametrize(
    "address",
    [
        *("postgresql://u:s3cret%Pw@host/data?collection=x", "postgresql://u:p@s3cret@host/data?collection=x"),
        *("postgresql://u:p#s3cret@host/data?collection=x", "postgresql://u:1/s3cret@host/data?collection=x"),
        *("postgresql://host/data?collection=a&collection=b", "postgresql://host/data?collection=%ff"),
    ],
)
def test_what_could_be_taken_for_something_else_is_refused(address: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Collection.parse(address)
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_query_is_read_as_libpq_reads_it() -> None:
    collection = Collection.parse("postgresql://a:1,b:2/data?password=a+b&collection=c+d")
    assert (collection.name, collection.conninfo) == ("c+d", "postgresql://a:1,b:2/data?password=a%2Bb")


def test_an_address_of_something_else_is_no_folder() -> None:
    assert is_address("POSTGRESQL://host/data")
    assert is_foreign_address("postgresql+psycopg://u:s3cret@host/data")
    assert not is_foreign_address("/srv/notes:index")
