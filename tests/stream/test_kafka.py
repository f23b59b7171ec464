"""Client settings: security reaches every client, and only clients see the password."""

from __future__ import annotations

import ssl

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from schemas.errors import ConfigError
from schemas.topics import MAX_MESSAGE_BYTES
from stream.apps import ENV_PREFIX, app_settings
from stream.config import Config, KafkaConfig, Secret
from stream.kafka import as_broker_error, client_settings

SASL = KafkaConfig(
    bootstrap="a:9092, b:9093",
    security_protocol="SASL_SSL",
    sasl_mechanism="SCRAM-SHA-256",
    sasl_username="nashra",
    sasl_password=Secret("planted-secret"),
    request_timeout_s=5,
)


def test_plain_settings_hold_no_security() -> None:
    settings = client_settings(KafkaConfig())
    assert settings["security_protocol"] == "PLAINTEXT"
    assert settings["ssl_context"] is None
    assert "sasl_mechanism" not in settings


def test_sasl_over_tls_reaches_clients_and_faust() -> None:
    settings = client_settings(SASL)
    assert settings["bootstrap_servers"] == ["a:9092", "b:9093"]
    assert settings["request_timeout_ms"] == 5000
    assert settings["sasl_plain_password"] == "planted-secret"
    assert isinstance(settings["ssl_context"], ssl.SSLContext)


def test_faust_gets_the_same(tmp_path: object) -> None:
    settings = app_settings("cleaner", Config(kafka=SASL, data_dir=str(tmp_path)), {})
    credentials = settings["broker_credentials"]
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-256"
    assert (credentials.username, credentials.password) == ("nashra", "planted-secret")
    assert "planted-secret" not in repr(settings)
    assert settings["broker"] == ["aiokafka://a:9092", "aiokafka://b:9093"]
    assert settings["producer_max_request_size"] == MAX_MESSAGE_BYTES
    assert settings["broker_request_timeout"] > settings["broker_session_timeout"]


def test_faust_sees_only_our_prefix_of_the_environment(tmp_path: object) -> None:
    environ = {
        "BROKER_URL": "kafka://elsewhere",
        "APP_ENV_PREFIX": "X_",
        ENV_PREFIX + "BROKER_CHECK_CRCS": "no",
    }
    config = Config(data_dir=str(tmp_path))
    assert app_settings("cleaner", config, environ)["env"] == {
        ENV_PREFIX + "BROKER_CHECK_CRCS": "no"
    }


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: object) -> None:
    with pytest.raises(ConfigError, match="data_dir: cannot make /dev/null"):
        app_settings("cleaner", Config(data_dir="/dev/null/x"), {})


def test_a_certificate_that_is_not_there_is_a_config_error() -> None:
    broken = KafkaConfig(security_protocol="SSL", ssl_cafile="/nowhere/ca.pem")
    with pytest.raises(ConfigError, match="ssl_cafile"):
        client_settings(broken)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (KafkaConnectionError("refused"), "nashra broker"),
        (SaslAuthenticationFailed("no"), "sasl_username"),
        (TopicAuthorizationFailedError("t"), "nashra acls show"),
    ],
)
def test_errors_say_what_to_do(error: Exception, hint: str) -> None:
    said = str(as_broker_error(error, SASL))  # type: ignore[arg-type]
    assert hint in said
    assert "a:9092" in said
    assert "planted-secret" not in said


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (TopicAuthorizationFailedError("t"), "topic t"),
        (TopicAuthorizationFailedError({"t", "s"}), "topic s, t"),
        (GroupAuthorizationFailedError("g"), "group g"),
        (ClusterAuthorizationFailedError(), "the cluster"),
        (GroupAuthorizationFailedError(), "group"),
    ],
)
def test_a_refusal_names_who_and_what(error: Exception, place: str) -> None:
    said = str(as_broker_error(error, SASL, "write"))
    assert f"does not let nashra write {place}: `nashra acls show`" in said
