"""Results: frozen, comparable, and never shown with a token."""

import copy
import inspect
import pickle
import typing

import attr
import pytest

import auth0_stt
from auth0_stt import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    Actor,
    ActorToken,
    SessionTransferTokenResult,
)

RESULT = SessionTransferTokenResult(
    "stt-secret", SESSION_TRANSFER_TOKEN_TYPE, 60, "N_A", "openid"
)
ACTOR_TOKEN = ActorToken("id-secret", ID_TOKEN_TYPE, "refresh-secret", True)
ACTOR = Actor("auth0|sam", {"team": "support"})
MODELS = pytest.mark.parametrize(
    "model", [RESULT, ACTOR_TOKEN, ACTOR], ids=lambda model: type(model).__name__
)


class TestConstants:
    def test_token_types(self):
        """The two URIs are those of Auth0 and RFC 8693."""
        assert (
            "urn:auth0:params:oauth:token-type:session_transfer_token"
            == SESSION_TRANSFER_TOKEN_TYPE
        )
        assert "urn:ietf:params:oauth:token-type:id_token" == ID_TOKEN_TYPE


class TestFields:
    def test_result(self):
        """The order of the design; what the tenant may leave out defaults to None."""
        result = SessionTransferTokenResult("stt", SESSION_TRANSFER_TOKEN_TYPE, 60)
        assert ("stt", SESSION_TRANSFER_TOKEN_TYPE, 60, None, None) == attr.astuple(
            result
        )
        assert [
            "session_transfer_token",
            "issued_token_type",
            "expires_in",
            "token_type",
            "scope",
        ] == list(attr.asdict(result))

    def test_actor_token(self):
        """The order of the design."""
        assert {
            "actor_token": "id-secret",
            "actor_token_type": ID_TOKEN_TYPE,
            "refresh_token": "refresh-secret",
            "refreshed": True,
        } == attr.asdict(ACTOR_TOKEN)

    def test_actor(self):
        """The order of the design."""
        assert {"sub": "auth0|sam", "claims": {"team": "support"}} == attr.asdict(ACTOR)

    @MODELS
    def test_frozen(self, model):
        """Nobody swaps the token of a result."""
        with pytest.raises(attr.exceptions.FrozenInstanceError):
            setattr(model, attr.fields(type(model))[0].name, "other")

    @MODELS
    def test_slotted(self, model):
        """Nothing can be hung on a result either."""
        assert not hasattr(model, "__dict__")

    @MODELS
    def test_equal_hashed_copied(self, model):
        """Equal fields make equal results, also after a copy and a pickle."""
        for twin in (
            copy.copy(model),
            copy.deepcopy(model),
            pickle.loads(pickle.dumps(model)),
        ):
            assert model == twin
            assert hash(model) == hash(twin)


class TestMasking:
    @MODELS
    def test_no_token_is_shown(self, model):
        """Neither repr nor str nor a format shows a token."""
        for text in (repr(model), str(model), f"{model}", f"{model!r}", f"{[model]}"):
            assert "secret" not in text

    def test_what_is_no_secret_is_shown(self):
        """What a person needs to diagnose is in the repr."""
        assert SESSION_TRANSFER_TOKEN_TYPE in repr(RESULT)
        assert "60" in repr(RESULT)
        assert "openid" in repr(RESULT)
        assert "refreshed=True" in repr(ACTOR_TOKEN)
        assert "auth0|sam" in repr(ACTOR)

    def test_missing_refresh_token_is_shown_as_none(self):
        """Whether there is a refresh token is no secret."""
        assert "refresh_token=None" in repr(
            ActorToken("id-secret", ID_TOKEN_TYPE, None, False)
        )


class TestAnnotations:
    @pytest.mark.parametrize(
        "name",
        [
            name
            for name, public in vars(auth0_stt).items()
            if inspect.isfunction(public) or attr.has(public)
        ],
    )
    def test_can_be_evaluated(self, name):
        """What cattrs and others read from annotations is there, on every Python."""
        public = getattr(auth0_stt, name)
        fields = attr.fields_dict(public) if inspect.isclass(public) else {"return"}
        assert set(fields) <= set(typing.get_type_hints(public))
