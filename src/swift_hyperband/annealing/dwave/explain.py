"""Errors of D-Wave's client, explained in one line: the state that is needed, the state that was found, the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from dwave.cloud import exceptions as client
from dwave.cloud.api import exceptions as api
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from swift_hyperband.annealing.dwave.access import Access
from swift_hyperband.annealing.errors import AnnealerError


@contextmanager
def explained(access: Access) -> Iterator[None]:
    """Turn what D-Wave's client raises into an `AnnealerError`, without the traceback that could hold a secret."""
    # not any OSError: a full disk is not the annealer's fault
    network = (requests.RequestException, TimeoutError, client.ProblemUploadError)
    try:
        yield
    except (*network, client.CanceledFutureError, client.UseAfterCloseError, ValueError, KeyError) as error:
        raise explain(error, access) from None


def explain(error: Exception, access: Access) -> AnnealerError:
    """Return the one line that tells an error of the client's.

    Source: the exceptions that dwave-cloud-client 0.14 raises, each tried against a server that fails so.
    """
    if isinstance(error, client.ProblemUploadError) and isinstance(error.__cause__, Exception):
        return explain(error.__cause__, access)
    where, words = f"the annealer at {access.host}", access.clean(error)
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
    return any(isinstance(cause, ConnectTimeoutError | NewConnectionError) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it wraps, also where urllib3 hides it in `reason` or the arguments."""
    while error is not None:
        yield error
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
