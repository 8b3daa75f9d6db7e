"""What every page holds: the session, the form's token, the policy, refusals as pages, files that may be kept."""

import pytest
from starlette.testclient import TestClient

from api.console.assets import ASSETS, DIGEST
from api.console.render import POLICY
from api.console.routes.sign_in import own_path
from tests.integration.console.conftest import SignIn

pytestmark = pytest.mark.db


def test_a_form_without_the_token_of_the_session_changes_nothing(sign_in: SignIn) -> None:
    sam = sign_in()

    refused = sam.client.post("/me/theme", data={"theme": "dark"})
    wrong = sam.client.post("/me/theme", data={"theme": "dark", "csrf": "of another session"})

    assert (refused.status_code, wrong.status_code) == (403, 403)
    assert "another session" in refused.text
    assert 'data-theme="dark"' not in sam.get("/me").text
    assert sam.post("/me/theme", {"theme": "dark"}).status_code == 204
    assert 'data-theme="dark"' in sam.get("/me").text


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://elsewhere.example"}],
    ids=str,
)
def test_a_form_from_another_site_is_refused_also_at_the_door(sign_in: SignIn, headers: dict[str, str]) -> None:
    sam = sign_in()

    assert sam.client.post("/me/theme", data={"theme": "dark", "csrf": sam.csrf}, headers=headers).status_code == 403
    assert sam.client.post("/sign-in", data={"login": "x", "password": "y"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"theme=dark%00", "application/x-www-form-urlencoded", 422),
        (b"theme=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 3_000, "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
        (b'{"theme": "dark"}', "application/json", 415),
        (b"theme=dark&theme=light", "application/x-www-form-urlencoded", 422),
    ],
    ids=["nul", "not utf-8", "many fields", "large", "json", "twice"],
)
def test_a_form_that_is_none_is_refused_as_a_page(sign_in: SignIn, body: bytes, content_type: str, status: int) -> None:
    sam = sign_in()

    answer = sam.client.post(
        "/me/theme", content=body, headers={"content-type": content_type, "x-csrf-token": sam.csrf}
    )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "That did not work" in answer.text


def test_every_page_carries_the_policy_and_may_not_be_kept(sign_in: SignIn, client: TestClient) -> None:
    for answer in (sign_in().get("/me"), client.get("/sign-in")):
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert " style=" not in answer.text
        assert "<script>" not in answer.text


def test_signing_out_needs_the_token_and_ends_the_session(sign_in: SignIn) -> None:
    sam = sign_in()

    assert sam.client.post("/sign-out", follow_redirects=False).status_code == 403
    assert sam.post("/sign-out").headers["location"] == "/sign-in"
    assert sam.get("/me").headers["location"] == "/sign-in?next=/me"


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_other_sites(sign_in: SignIn) -> None:
    sam = sign_in()
    answer = sam.client.post(
        "/sign-in", data={"login": "sam", "password": "four horses at the gate"}, follow_redirects=False
    )

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


def test_a_page_that_the_role_does_not_open_says_so(sign_in: SignIn, client: TestClient) -> None:
    vera = sign_in("vera", "viewer")

    assert vera.get("/me").status_code == 200
    assert client.get("/me", follow_redirects=False).headers["location"] == "/sign-in?next=/me"
    part = client.get("/me", headers={"hx-request": "true"}, follow_redirects=False)
    assert (part.status_code, part.headers["hx-redirect"]) == (204, "/sign-in?next=/me")


def test_an_address_that_leads_nowhere_is_a_page_to_a_browser_only(sign_in: SignIn, client: TestClient) -> None:
    vera, browser = sign_in("vera", "viewer"), {"accept": "text/html,*/*"}
    seen = vera.client.get("/nowhere", headers={**vera.headers, **browser})

    assert (seen.status_code, seen.headers["content-security-policy"]) == (404, POLICY)
    assert "There is no page at this address." in seen.text
    assert 'href="/records"' in seen.text  # with the way to the other pages
    assert "There is no page at this address." in client.get("/nowhere", headers=browser).text
    for path, accept in (("/v1/nowhere", "text/html"), ("/nowhere", "application/json"), ("/nowhere", "*/*")):
        assert client.get(path, headers={"accept": accept}).json()["code"] == "route_unknown"


def test_files_of_the_pages_are_kept_for_ever_under_their_digest(client: TestClient) -> None:
    for name in ASSETS:
        kept = client.get(f"/static/{DIGEST}/{name}", headers={"accept-encoding": "gzip"})
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert kept.content == ASSETS[name].plain
    assert client.get("/static/old/hub.css").headers["cache-control"] == "no-cache"
    assert client.get(f"/static/{DIGEST}/..%2f..%2fapp.py").status_code == 404
    assert client.get(f"/static/{DIGEST}/nothing.css").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/review/rev_1?x=1", "/review/rev_1?x=1"),
        ("//elsewhere.example/a", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(wanted: str, led_to: str) -> None:
    assert own_path(wanted) == led_to
