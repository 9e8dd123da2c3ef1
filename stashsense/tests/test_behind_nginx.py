"""The service behind a real nginx, which has the configuration that we hand out."""

import http.client
import json
import re
import shutil
import ssl
import subprocess
import urllib.parse

import pytest

from stashsense import env
from stashsense.data_folder import ROOT
from stashsense.tests.test_serve import Service, free_port
from stashsense.tests.waiting import wait_until

HOST = "sense.example.org"
ORIGIN = f"https://{HOST}"
PASSWORD = "correct horse battery staple"
CERTIFICATE = ROOT / "recognition" / "tests" / "runtime" / "tls" / "loopback.pem"
START_BOUND_SECONDS = 30
LOCATION = "location / {"
# The first that asks for the addresses of an upstream's servers again.
ASKS_AGAIN = (1, 27, 3)
# Around the site, what a distribution's own nginx.conf has around it.
AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {site}
}}
"""

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The service, told of its proxy."""
    service = Service(
        tmp_path_factory.mktemp("behind") / "data",
        STASH_SENSE_TRUSTED_PROXIES="127.0.0.1",
        STASH_SENSE_ALLOWED_HOSTS=HOST,
        STASH_SENSE_PATH="/sense",
        STASH_SENSE_API_KEY="key-of-this-test",
        STASH_SENSE_ADMIN_PASSWORD=PASSWORD,
    )
    yield service.wait_until_ready()
    service.kill()


@pytest.fixture(scope="module")
def nginx():
    """The path of nginx."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        reason = "nginx is not installed (Debian: nginx-light)"
        if env.boolean("STASH_SENSE_REQUIRE_NGINX", default=False):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module", params=["kept", "cut off"])
def proxy_port(request, service, nginx, tmp_path_factory):
    """The port of an nginx that shows the service below /sense, for HTTPS alone."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    # With a slash after the address nginx cuts off what the location names.
    end = "/;" if request.param == "cut off" else ";"
    site = handed_out_site(
        {
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "/etc/ssl/sense.example.org.pem": str(CERTIFICATE),
            "/etc/ssl/sense.example.org.key": str(CERTIFICATE),
            "http://127.0.0.1:5000;": f"http://127.0.0.1:{service.port}{end}",
            LOCATION: "location /sense/ {",
        }
    )
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, site=site))
    process = subprocess.Popen(
        [nginx, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"]
    )
    try:
        wait_until(
            lambda: answers(port) or process.poll() is not None,
            within=START_BOUND_SECONDS,
        )
        assert process.poll() is None
        yield port
    finally:
        process.terminate()
        process.wait()


def handed_out_site(changes, *, name="nginx.conf"):
    site = (ROOT / "deploy" / name).read_text()
    for old, new in changes.items():
        assert old in site
        site = site.replace(old, new)
    return site


def answers(port):
    try:
        return ask(port, "/sense/health")[0].status == 200
    except OSError:
        return False


def ask(port, path, *, method="GET", body=None, host=HOST, **headers):
    """Return the answer's head and its text, asked by HTTPS."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, context=context, timeout=60
    )
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body=body, headers={"Host": host} | names)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def test_everything_on_a_page_lies_below_the_path(proxy_port):
    answer, page = ask(proxy_port, "/sense/admin/login/")

    assert answer.status == 200
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
    assert links
    assert [link for link in links if not link.startswith("/sense/")] == []
    [style] = [link for link in links if link.endswith("/admin/css/base.css")]
    assert ask(proxy_port, style)[0].status == 200


def test_who_signs_in_by_https_needs_no_further_setting(proxy_port):
    answer, page = ask(proxy_port, "/sense/admin/login/")
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
    form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": token}

    signed_in, _ = ask(
        proxy_port,
        "/sense/admin/login/?next=/sense/",
        method="POST",
        body=urllib.parse.urlencode(form),
        Content_Type="application/x-www-form-urlencoded",
        Cookie=cookie,
        # Sent by browsers: it has to fit how the service was reached.
        Origin=ORIGIN,
        Referer=f"{ORIGIN}/sense/admin/login/",
    )

    assert "Path=/sense" in attributes
    assert signed_in.status == 302
    assert signed_in.headers["Location"] == "/sense/"
    assert "Path=/sense" in signed_in.headers["Set-Cookie"]


def test_the_description_of_the_api_names_the_path(proxy_port):
    answer, description = ask(
        proxy_port, "/sense/openapi.json", X_Api_Key="key-of-this-test"
    )

    assert answer.status == 200
    assert json.loads(description)["servers"] == [{"url": "/sense"}]


def test_another_name_is_refused(proxy_port):
    answer, _ = ask(proxy_port, "/sense/health", host="evil.example")

    assert answer.status == 400


def test_the_service_answers_directly_as_well(service):
    # By an address of this machine, although it answers others by its name alone.
    assert service.is_healthy()


def test_the_proxy_of_several_machines_is_understood(nginx, tmp_path):
    changes = {"listen 80;": f"listen 127.0.0.1:{free_port()};"}
    if version_of(nginx) < ASKS_AGAIN:
        # Older ones look names up once and know nothing of what is for asking again:
        # the rest of the file is what they are asked about.
        changes |= {
            "    resolver 127.0.0.11 valid=5s ipv6=off;\n": "",
            "web1:5000 resolve;": "127.0.0.1:5001;",
            "web2:5000 resolve;": "127.0.0.1:5002;",
        }
    site = handed_out_site(changes, name="nginx.scale.conf")
    (tmp_path / "nginx.conf").write_text(AROUND.format(folder=tmp_path, site=site))

    answer = subprocess.run(
        [nginx, "-t", "-e", "stderr", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stderr


def version_of(nginx):
    answer = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True)
    [numbers] = re.findall(r"nginx/(\d+)\.(\d+)\.(\d+)", answer.stderr)
    return tuple(map(int, numbers))
