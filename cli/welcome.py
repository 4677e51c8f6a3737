"""What ``meetra up`` says once the system is ready."""

from __future__ import annotations

from rich.console import Console

from cli.account import client_of
from cli.front import DEFAULT_PORT, Front
from cli.home import DEMO_EMAIL, Home
from meetra_client import Account


def announce(
    console: Console,
    front: Front,
    home: Home,
    *,
    gateway: str,
    metrics: str | None,
    seconds: float,
    new_password: str | None,
) -> None:
    """Print where the system is.

    Args:
        gateway: address for the commands of this machine.
        metrics: where Prometheus finds metrics; None: nowhere.
        seconds: how long the start took.
        new_password: of the demo user, if it was made now.
    """
    console.print(f"Meetra is ready at {front.url} (started in {seconds:.1f} s)", highlight=False)
    console.print("  open it in a browser to see meetings; REST and gRPC are at the same address", highlight=False)
    if front.warning:
        console.print(f"\n{front.warning}\n", style="bold red", highlight=False, soft_wrap=True)
    if gateway != front.url:
        console.print(f"  on this machine {gateway}", highlight=False)
    if front.port != DEFAULT_PORT:
        console.print(f"  (port {DEFAULT_PORT} is in use, or another was requested)", highlight=False)
    if new_password is not None:
        # What is no terminal ends in a log: that of a service, of a container.
        told = (
            f"{new_password}  (shown only once)" if console.is_terminal else f"in {home.secret_file('demo-password')}"
        )
        console.print(f"  user {DEMO_EMAIL}, password {told}", highlight=False, soft_wrap=True)
    console.print(f"  data and logs: {home.root}", highlight=False, soft_wrap=True)
    if metrics is not None:
        console.print(f"  metrics for Prometheus: {metrics}", highlight=False, soft_wrap=True)


async def print_next_steps(console: Console, account: Account) -> None:
    """Print how to go on after the first report; on a terminal with a token."""
    console.print()
    console.print(f"Gateway  {account.url}", highlight=False)
    if console.is_terminal:
        async with client_of(account) as client:
            token = await client.token()
        console.print(f"Token    {token}", highlight=False, soft_wrap=True)
    console.print('Next     eval "$(.venv/bin/meetra env)"   in another terminal, then the calls in the README')
    console.print("         .venv/bin/meetra analyze FILE", highlight=False)
    console.print("Ctrl-C stops everything; `make run` starts it again with the same data.", highlight=False)
