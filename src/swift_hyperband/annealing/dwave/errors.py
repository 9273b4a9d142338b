"""Errors of samplers, mostly remote ones, as one-line messages that never contain the token."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from swift_hyperband.base.errors import UserError

SHOWN = 200
"""How many characters of a server's own words are shown: some answer with a web page."""


SECRET_NAMES = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")
"""Words in the names of environment variables that hold secrets: samplers of other makers have their own."""


class SamplerError(UserError):
    """A sampler in this process cannot be used: `reason` says what must hold, and what was found."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the sampler {name!r} cannot be used: it {reason}")


class AnnealerError(UserError):
    """The annealer cannot answer.

    Attributes
    ----------
    temporary : bool
        Whether asking again in a few seconds may help.
    """

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary


def cleaned(text: object, secrets: Sequence[str] | None = None) -> str:
    """Return somebody else's words in one short line, without secrets.

    Parameters
    ----------
    text : object
    secrets : sequence of str or None
        None: what the environment and the D-Wave client's configuration hold.
    """
    try:
        line = " ".join(str(text).split())
    except Exception as error:
        line = f"a text that cannot be shown ({type(error).__name__})"
    for secret in _known_secrets() if secrets is None else secrets:
        line = line.replace(" ".join(secret.split()), "***")
    return line if len(line) <= SHOWN else line[:SHOWN] + " ..."


def _known_secrets() -> list[str]:
    named = (value for key, value in os.environ.items() if any(word in key.upper() for word in SECRET_NAMES))
    # a short one would be found in any text
    found = {value for value in named if len(value.strip()) >= 6}
    with suppress(ImportError, UserError):
        found |= set(Access.configured().secrets)
    # a longer one first, which may hold a shorter one
    return sorted(found, key=len, reverse=True)


@dataclass(frozen=True)
class Access:
    """Where the annealer is, and what must not be told of it.

    Attributes
    ----------
    host : str
        As shown in errors: without path, user and password.
    secrets : tuple of str
        The token, and whatever else of the client's configuration is a secret.
    """

    host: str
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def configured(cls) -> Access:
        """Return what the environment and the client's own configuration file say.

        Raises
        ------
        AnnealerError
            If there is no token, or the configuration cannot be read.
        """
        from dwave.cloud.config import constants, load_config
        from dwave.cloud.config.exceptions import ConfigFileError

        try:
            config = load_config()
        except (ConfigFileError, ValueError) as error:
            # the text of a parse error may quote the line with the token
            raise AnnealerError(
                f"the D-Wave client's configuration must be readable, found {type(error).__name__}; "
                "look at the file with 'dwave config inspect', and at DWAVE_CONFIG_FILE and DWAVE_PROFILE"
            ) from None
        token = (config.get("token") or "").strip()
        endpoint = config.get("endpoint") or ""
        if not token:
            raise AnnealerError(
                "a D-Wave token is needed, found none; set DWAVE_API_TOKEN in the environment, or 'token' in the "
                "client's configuration with 'dwave config create' (never in the study file)"
            )
        if not (token.isascii() and token.isprintable()) or " " in token:
            # it would be quoted in the error of an HTTP header
            raise AnnealerError(
                "the D-Wave token must be one word, found spaces or control characters; check DWAVE_API_TOKEN"
            )
        if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
            raise AnnealerError("the annealer's endpoint must be an http(s) URL; check DWAVE_API_ENDPOINT")
        parts = urlsplit(endpoint or constants.DEFAULT_SOLVER_API_ENDPOINT)
        proxy = urlsplit(config.get("proxy") or "")
        secrets = (token, parts.password, proxy.password, config.get("headers"))
        return cls(parts.netloc.rpartition("@")[2], tuple(secret for secret in secrets if secret))

    def clean(self, text: object) -> str:
        """Return a server's or a library's words in one short line, without secrets."""
        return cleaned(text, self.secrets)

    def explain(self, error: Exception) -> AnnealerError:
        """Return the one line that tells an error of the client's.

        Source: the exceptions that dwave-cloud-client 0.14 raises, each tried against a server that fails so.
        """
        import requests
        from dwave.cloud import exceptions as client
        from dwave.cloud.api import exceptions as api

        if isinstance(error, client.ProblemUploadError) and isinstance(error.__cause__, Exception):
            return self.explain(error.__cause__)
        where, words = f"the annealer at {self.host}", self.clean(error)
        code = getattr(error, "error_code", None)
        if isinstance(error, api.ResourceAuthenticationError):
            return AnnealerError(f"{where} must accept the token, found it refused (401); check DWAVE_API_TOKEN")
        if isinstance(error, client.SolverNotFoundError):
            return AnnealerError(
                f"{where} must offer the solver and have it online, found none ({words}); "
                "check predictor.sampler.solver and DWAVE_API_SOLVER"
            )
        if isinstance(error, client.CanceledFutureError):
            return AnnealerError(f"{where} must answer, but the problem was cancelled there; start again to submit it")
        if isinstance(error, client.SolverOfflineError):
            return AnnealerError(f"{where} has taken its solver offline; try again later, or name another solver")
        if isinstance(error, api.ResourceBadResponseError):
            return AnnealerError(
                f"{where} must be a D-Wave solver API, found another kind of answer ({words}); check DWAVE_API_ENDPOINT"
            )
        if isinstance(error, requests.RequestException) and _unreachable(error):
            return AnnealerError(
                f"{where} must be reachable, but no connection was made; check DWAVE_API_ENDPOINT and the network",
                temporary=True,
            )
        if isinstance(error, api.RequestTimeout | TimeoutError):
            return AnnealerError(f"{where} must answer, but a request had no answer in time; try again", temporary=True)
        if code == 429:
            return AnnealerError(
                f"{where} has had enough requests for now, or the quota is used up (429: {words})", temporary=True
            )
        if code == 403 or isinstance(error, api.ResourceAccessForbiddenError):
            return AnnealerError(f"{where} forbids this (403: {words}); check the project's access and quota")
        if isinstance(code, int) and code >= 500:
            return AnnealerError(f"{where} has an error of its own ({code}: {words}); try again", temporary=True)
        if isinstance(error, client.SolverFailureError):
            return AnnealerError(f"{where} failed on the problem: {words}")
        if isinstance(error, requests.ConnectionError | client.ProblemUploadError):
            return AnnealerError(f"{where} dropped the connection; try again", temporary=True)
        return AnnealerError(f"{where} cannot be used: {type(error).__name__}: {words}")


def _unreachable(error: BaseException) -> bool:
    """Return whether no connection was made at all: the client calls this, too, a time-out."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    return any(isinstance(cause, ConnectTimeoutError | NewConnectionError) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it wraps, also where urllib3 hides it in `reason` or the arguments."""
    while error is not None:
        yield error
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
