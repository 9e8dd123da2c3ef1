"""Compose files, unRAID's template, README and examples, held against settings."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import pytest
import yaml

from stashsense import __version__
from stashsense.data_folder import ROOT
from stashsense.serve import OneLineParser, _parser
from stashsense.tests.dockerfile import read_dockerfile
from stashsense.tests.image_check import CAPABILITIES
from stashsense.tests.test_documentation import variables_read
from stashsense.tests.test_serve import environment

NAMES, SECRETS = variables_read()
IMAGE = read_dockerfile(ROOT / "Dockerfile").stages[-1]
# What the container's entry reads.
OF_THE_ENTRY = {"PUID", "PGID"}
# Set in the image, or by unRAID itself.
NOT_IN_THE_TEMPLATE = {"DATA_DIR", "STASH_SENSE_HOST", "PORT", "TZ"}
# Set in the image.
NOT_IN_COMPOSE = {"DATA_DIR", "STASH_SENSE_HOST", "PORT"}
# What hosts share, and what each of them must be given alike.
SHARED = {
    *["DATABASE_URL_FILE", "REDIS_URL", "STASH_SENSE_SECRET_KEY_FILE"],
    "STASH_SENSE_API_KEY_FILE",
}
# Secrets may be given as files.
FILES = {f"{name}_FILE" for name in SECRETS}
# What the compose files ask for by themselves.
OF_COMPOSE = {"STASH_SENSE_VERSION", "STASH_SENSE_PORT", "STASH_SENSE_DATA"}
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?][^}]*)?\}")
DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")
USER_PORT = "6960"


def compose(name):
    return yaml.safe_load((ROOT / name).read_text())


def ours(name="docker-compose.yml"):
    """Return the services of a compose file that run our image, by name."""
    services = compose(name)["services"]
    return {
        key: service
        for key, service in services.items()
        if service["image"].startswith("carrotwaxr/stash-sense:")
    }


STASH_SENSE = ours()["stash-sense"]
SCALED = ours("compose.scale.yml")
TEMPLATE = ET.parse(ROOT / "unraid-template.xml").getroot()
CONFIGS = {config.get("Target"): config for config in TEMPLATE.iter("Config")}


def template_text(tag):
    """Return the text of the template's element, which is there."""
    return TEMPLATE.findtext(tag) or ""


@pytest.mark.parametrize(
    "service", [STASH_SENSE, *SCALED.values()], ids=["one", *SCALED]
)
def test_compose_sets_what_the_service_reads(service):
    assert set(service["environment"]) - NAMES - FILES - OF_THE_ENTRY == set()


def test_compose_passes_every_setting_on_and_the_service_keeps_its_defaults():
    environment = STASH_SENSE["environment"]
    own_defaults = {"PUID": "99", "PGID": "100", "TZ": "UTC"}

    assert set(environment) == (NAMES - NOT_IN_COMPOSE) | FILES | OF_THE_ENTRY
    assert environment == {
        name: f"${{{name}:-{own_defaults.get(name, '')}}}" for name in environment
    }


def test_the_template_of_compose_s_settings_has_each_of_them_once():
    text = (ROOT / ".env.example").read_text()
    values = [line.partition("=") for line in text.splitlines() if line[:1] != "#"]
    named = [name for name, _, _ in values if name]

    asked = VARIABLE.findall((ROOT / "docker-compose.yml").read_text())
    assert sorted(named) == sorted(asked)
    filled = {name: value for name, _, value in values if value}
    assert set(filled) & SECRETS == set()
    defaults = dict(DEFAULT.findall((ROOT / "docker-compose.yml").read_text()))
    assert filled == {name: value for name, value in defaults.items() if value} | {
        "STASH_URL": "http://host.docker.internal:9999"
    }


def test_an_empty_variable_is_one_that_is_not_set(tmp_path):
    def settings_with(**variables):
        program = (
            "import stashsense.settings as s;"
            "print(*sorted(f'{n}={v!r}' for n, v in vars(s).items() if n.isupper()))"
        )
        answer = subprocess.run(
            [sys.executable, "-c", program],
            env=environment(DATA_DIR=str(tmp_path), **variables),
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout

    empty = dict.fromkeys((NAMES - NOT_IN_COMPOSE) | FILES, "")

    assert settings_with(**empty) == settings_with()


@pytest.mark.parametrize("name", ["docker-compose.yml", "compose.scale.yml"])
def test_what_compose_takes_from_the_environment_has_the_settings_names(name):
    asked = set(VARIABLE.findall((ROOT / name).read_text()))

    assert asked - OF_COMPOSE - NAMES - FILES - OF_THE_ENTRY == set()


def test_hosts_share_the_servers_that_come_with_them():
    services = compose("compose.scale.yml")["services"]

    assert set(services) == {"web1", "web2", "cluster", "proxy", "postgres", "redis"}
    for service in SCALED.values():
        assert set(service["environment"]) >= SHARED
        text = (ROOT / "docs" / "scaling.md").read_text()
        [url] = re.findall(r'echo "(postgres://[^"]+)"', text)
        database = urlsplit(re.sub(r"\$\([^)]+\)", "given", url))
        assert database.hostname in services
        assert urlsplit(service["environment"]["REDIS_URL"]).hostname in services
        environment = services["postgres"]["environment"]
        assert database.username == environment["POSTGRES_USER"]
        assert database.path == f"/{environment['POSTGRES_DB']}"
    assert "build" not in services["web1"]


def test_what_scaling_advises_to_change_is_passed_on_to_each_host():
    chapter = (ROOT / "docs" / "scaling.md").read_text().partition("\n## Limits\n")[2]
    advised = set(re.findall(r"lower `(\w+)`", chapter))

    assert advised
    for service in SCALED.values():
        environment = service["environment"]
        assert {name: environment.get(name) for name in advised} == {
            name: f"${{{name}:-}}" for name in advised
        }


def test_the_passwords_of_several_hosts_are_files_and_in_no_environment():
    whole = compose("compose.scale.yml")
    files = {name: secret["file"] for name, secret in whole["secrets"].items()}
    asked = VARIABLE.findall((ROOT / "compose.scale.yml").read_text())
    told = (ROOT / "docs" / "scaling.md").read_text()

    # Stash's key is missing where Stash has no password, which no file can be.
    assert set(asked) & (SECRETS | {"POSTGRES_PASSWORD"}) == {"STASH_API_KEY"}
    for service in whole["services"].values():
        named = {
            value.removeprefix("/run/secrets/")
            for name, value in service.get("environment", {}).items()
            if name.endswith("_FILE")
        }
        assert named == set(service.get("secrets", []))
    for name, file in files.items():
        assert file == f"./secrets/{name}"
        assert name in told
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/secrets/" in ignored


@pytest.mark.parametrize(("name", "program"), [("web1", "web"), ("cluster", "cluster")])
def test_each_host_of_several_runs_its_program(name, program):
    command = SCALED[name]["command"]

    assert command == ["--only", program, "--no-demo"]
    # The service's own parser understands it.
    assert isinstance(_parser(), OneLineParser)
    assert _parser().parse_args(command).only == program


def test_every_host_of_several_keeps_its_own_data_and_begins_after_the_first():
    for name, service in SCALED.items():
        assert service["volumes"] == [f"{name}:/data", "models:/data/models"]
    for name in ("web2", "cluster"):
        assert SCALED[name]["depends_on"]["web1"] == {"condition": "service_healthy"}


def test_of_several_machines_only_the_proxy_is_believed():
    whole = compose("compose.scale.yml")
    [network] = whole["networks"]["default"]["ipam"]["config"]
    address = whole["services"]["proxy"]["networks"]["default"]["ipv4_address"]

    assert ip_address(address) in ip_network(network["subnet"])
    # Nobody else can be given it, nor is it the gateway, the first one.
    assert ip_address(address) not in ip_network(network["ip_range"])
    assert ip_address(address) != next(ip_network(network["subnet"]).hosts())
    for service in SCALED.values():
        assert service["environment"]["STASH_SENSE_TRUSTED_PROXIES"] == address


def test_the_proxy_serves_with_whichever_web_host_is_there():
    proxy = compose("compose.scale.yml")["services"]["proxy"]
    text = (ROOT / "deploy" / "nginx.scale.conf").read_text()
    servers = re.findall(r"^\s+server (\w+):5000(.*);$", text, re.MULTILINE)
    version = re.match(r"nginx:(\d+)\.(\d+)\b", proxy["image"])

    # It waits for no host; without `resolve` it would not begin before all are there.
    assert "depends_on" not in proxy
    web = [name for name, each in SCALED.items() if "web" in each["command"]]
    assert servers == [(name, " resolve") for name in web]
    # Without either, nginx refuses `resolve`; the engine's names are good for minutes.
    assert re.search(r"^\s+zone \w+ \d+k;$", text, re.MULTILINE)
    assert re.search(r"^\s+resolver 127\.0\.0\.11 valid=\ds ", text, re.MULTILINE)
    # Known since 1.27.3.
    assert version is not None
    assert tuple(map(int, version.groups())) >= (1, 28)


@pytest.mark.parametrize("service", [STASH_SENSE, *SCALED.values()])
def test_a_container_has_a_read_only_root_and_few_rights(service):
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp:size=1g"]
    assert service["cap_drop"] == ["ALL"]
    assert sorted(name.lower() for name in service["cap_add"]) == CAPABILITIES
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["restart"] == "unless-stopped"


def test_no_memory_limit_ends_a_change_of_releases():
    for name in ("docker-compose.yml", "docker-compose.gpu.yml", "compose.scale.yml"):
        assert re.findall(r"mem_limit|memory", (ROOT / name).read_text()) == []
    assert "--memory" not in template_text("ExtraParams")


def test_compose_has_the_image_s_port_folder_health_check_and_stop():
    [health] = IMAGE.all("HEALTHCHECK")
    check = STASH_SENSE["healthcheck"]

    assert STASH_SENSE["ports"] == [f"${{STASH_SENSE_PORT:-{USER_PORT}}}:5000"]
    assert STASH_SENSE["volumes"] == ["${STASH_SENSE_DATA:-stash-sense}:/data"]
    # Compose takes a name without a slash for a volume's, which has to be declared.
    assert set(compose("docker-compose.yml")["volumes"]) == {"stash-sense"}
    assert {
        "interval": check["interval"],
        "timeout": check["timeout"],
        "start-period": check["start_period"],
        "retries": str(check["retries"]),
    } == health.flags
    assert check["test"][1].split()[-1] == "http://127.0.0.1:5000/health"
    # Longer than the service takes, and than Docker's 10 s.
    assert STASH_SENSE["stop_grace_period"] == "15s"


def test_the_gpu_is_a_file_of_its_own():
    assert "deploy" not in STASH_SENSE
    [gpu] = compose("docker-compose.gpu.yml")["services"].values()

    assert set(gpu) == {"image", "build", "deploy"}
    assert STASH_SENSE["build"]["args"] == {"VARIANT": "cpu"}
    assert gpu["build"]["args"] == {"VARIANT": "gpu"}
    [device] = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert f"{gpu['image']}-cpu" == STASH_SENSE["image"]


# unRAID's template, by its documentation (wiki.unraid.net/DockerTemplateSchema, and the
# fields that Community Applications publishes).

ONCE = {
    *["Name", "Repository", "Registry", "Network", "Shell", "Privileged", "Support"],
    *["Project", "Overview", "Category", "WebUI", "TemplateURL", "Icon", "ExtraParams"],
    *["PostArgs", "Requires"],
}
ATTRIBUTES = {
    *["Name", "Target", "Default", "Mode", "Description", "Type", "Display"],
    *["Required", "Mask"],
}
MODES = {"Port": {"tcp", "udp"}, "Path": {"rw", "ro"}, "Variable": {""}}


def test_the_template_has_the_elements_of_its_schema_once_each():
    assert TEMPLATE.tag == "Container"
    assert TEMPLATE.attrib == {"version": "2"}
    tags = [child.tag for child in TEMPLATE if child.tag != "Config"]
    assert sorted(tags) == sorted(ONCE)
    empty = {child.tag for child in TEMPLATE if child.tag in ONCE and not child.text}
    assert empty == {"PostArgs"}
    assert template_text("Privileged") == "false"


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_entry_of_the_template_has_the_attributes_of_its_schema(config):
    assert set(config.attrib) == ATTRIBUTES
    assert config.get("Mode") in MODES[config.get("Type")]
    assert config.get("Display") in {"always", "advanced"}
    assert {config.get("Required"), config.get("Mask")} <= {"true", "false"}
    assert config.get("Description").endswith(".")
    assert (config.text or "") == config.get("Default")


def test_the_template_is_written_as_unraid_writes_it():
    # Its readers take lines apart: no blanks around attributes, no tabs.
    text = (ROOT / "unraid-template.xml").read_text()

    assert text.startswith('<?xml version="1.0"?>\n<Container version="2">\n')
    assert "\t" not in text
    assert "<!--" not in text
    entry = re.compile(r'  <Config Name="[^"]+"(?: \w+="[^"]*"){8}>[^<]*</Config>')
    lines = [line for line in text.splitlines() if "<Config" in line]
    assert [line for line in lines if not entry.fullmatch(line)] == []


def test_every_setting_is_in_the_template_and_no_other():
    variables = {
        target for target, config in CONFIGS.items() if config.get("Type") == "Variable"
    }

    assert variables == (NAMES - NOT_IN_THE_TEMPLATE) | OF_THE_ENTRY | {
        "NVIDIA_VISIBLE_DEVICES"
    }
    assert all(CONFIGS[name].get("Name") == name for name in variables)


def test_the_template_masks_secrets_and_nothing_else():
    masked = {t for t, config in CONFIGS.items() if config.get("Mask") == "true"}

    assert masked == SECRETS


def test_the_template_leaves_defaults_to_the_service():
    values = {t: config.text for t, config in CONFIGS.items() if config.text}

    assert values == {
        "5000": USER_PORT,
        "/data": "/mnt/user/appdata/stash-sense",
        "PUID": "99",
        "PGID": "100",
    }


def test_the_template_runs_the_container_as_compose_does():
    words = template_text("ExtraParams").split()

    assert words[:3] == ["--read-only", "--tmpfs", "/tmp:size=1g"]
    assert "--cap-drop=ALL" in words
    added = [word.removeprefix("--cap-add=") for word in words if "--cap-add" in word]
    assert added == STASH_SENSE["cap_add"]
    assert "--security-opt=no-new-privileges" in words
    # It would not start where the plugin is missing; the overview tells of it.
    assert "--runtime=nvidia" not in words
    assert "--runtime=nvidia" in template_text("Overview")
    repository = template_text("Repository")
    assert f"{repository}-cpu" in template_text("Overview")
    # By the default of its variable.
    assert DEFAULT.sub(r"\2", STASH_SENSE["image"]) == f"{repository}-cpu"


@pytest.mark.parametrize("service", [STASH_SENSE, *SCALED.values()])
def test_an_image_of_the_predecessor_is_not_taken_for_ours(service):
    tag = DEFAULT.sub(r"\2", service["image"]).partition(":")[2]

    # Its images are called latest and 0.1, and so on.
    assert tag == f"{__version__.partition('.')[0]}-cpu"
    assert not tag.startswith(("0", "latest"))


def test_the_template_leads_to_the_page_by_the_container_s_port():
    assert template_text("WebUI") == f"http://[IP]:[PORT:{IMAGE.only('EXPOSE').text}]/"


def test_the_icon_is_in_the_project():
    path = template_text("Icon").partition("/main/")[2]

    assert (ROOT / path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("page", ["README.md", "docs/installation.md"])
def test_a_page_names_settings_files_and_the_port_as_they_are(page):
    text = (ROOT / page).read_text()

    named = set(re.findall(r"\b(?:STASH|RECOGNITION)_[A-Z_]+\b", text))
    known = NAMES | {f"{name}_FILE" for name in SECRETS}
    assert {name for name in named if name not in known} <= OF_COMPOSE
    assert f":{USER_PORT}" in text
    files = re.findall(r"\b(?:docker-)?compose[a-z.]*\.yml\b", text)
    assert "docker-compose.gpu.yml" in files
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_the_unit_is_one_that_systemd_understands(tmp_path):
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    unit = (ROOT / "deploy" / "stash-sense.service").read_text()
    (tmp_path / "stash-sense.service").write_text(
        unit.replace("/opt/stash-sense/scripts/serve", "/bin/true")
    )

    answer = subprocess.run(
        [verify, "verify", "--man=no", tmp_path / "stash-sense.service"],
        capture_output=True,
        text=True,
    )

    lines = [line for line in answer.stderr.splitlines() if "stash-sense" in line]
    assert lines == []


def test_the_unit_waits_longer_than_the_service_takes_to_stop():
    unit = (ROOT / "deploy" / "stash-sense.service").read_text()

    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) > 10
    # The service ends its processes itself, in order.
    assert "KillMode=mixed" in unit
    environment = re.findall(r"^Environment=(\w+)=", unit, re.MULTILINE)
    assert set(environment) <= NAMES


def test_the_unit_lets_the_service_write_its_data_and_nothing_else():
    unit = (ROOT / "deploy" / "stash-sense.service").read_text()
    lines = unit.splitlines()

    assert {"ProtectSystem=strict", "StateDirectory=stash-sense"} <= set(lines)
    assert "Environment=DATA_DIR=/var/lib/stash-sense" in lines
    assert {"UMask=0077", "StateDirectoryMode=0700"} <= set(lines)
    assert "ReadWritePaths" not in unit
    told = (ROOT / "docs" / "installation.md").read_text()
    assert "chown --recursive root: /opt/stash-sense" in told


def test_what_comes_by_plain_http_is_sent_to_https():
    text = (ROOT / "deploy" / "nginx.conf").read_text()

    assert re.search(
        r"listen 80;\n.*\n\s+return 301 https://\$host\$request_uri;", text
    )


@pytest.mark.parametrize(
    "page", ["docs/installation.md", "docs/configuration.md", "unraid-template.xml"]
)
def test_no_page_has_people_trust_a_whole_network_of_docker_s(page):
    text = (ROOT / page).read_text()

    assert "TRUSTED_PROXIES" in text
    assert re.findall(r"172\.\d+\.\d+\.\d+/\d+", text) == []


@pytest.mark.parametrize("name", ["nginx.conf", "nginx.scale.conf", "Caddyfile"])
def test_proxies_let_pictures_through(name):
    text = (ROOT / "deploy" / name).read_text()

    assert re.search(r"45m\b|45MB\b", text)
    settings = set(re.findall(r"\bSTASH_SENSE_[A-Z_]+\b", text))
    assert settings <= NAMES


def test_caddy_understands_its_example(tmp_path):
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("Caddy is not installed (Debian: caddy)")

    answer = subprocess.run(
        [caddy, "adapt", "--config", ROOT / "deploy" / "Caddyfile", "--validate"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert answer.returncode == 0, answer.stderr
    assert '"dial":"127.0.0.1:5000"' in answer.stdout


def test_newcomers_are_told_every_place_a_setting_has():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    told = text.partition("*A setting.*")[2].partition("\n\n")[0]

    places = {"unraid-template.xml", "docker-compose.yml", ".env.example"}
    assert {name for name in places if f"`{name}`" not in told} == set()
