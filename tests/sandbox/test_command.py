"""`python -m bot.sandbox`, as it is started from a shell."""

import subprocess
import sys

import aiohttp


async def test_it_says_where_it_is_and_has_its_bot() -> None:
    command = [sys.executable, "-m", "bot.sandbox", "--port", "0", "--bot", "5:x=started_bot"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            url = running.stdout.readline().strip()
            async with aiohttp.ClientSession() as session, session.get(f"{url}/bot5:x/getMe") as answer:
                assert (await answer.json())["result"]["username"] == "started_bot"
        finally:
            running.terminate()


def test_what_cannot_be_is_said_in_a_line() -> None:
    command = [sys.executable, "-m", "bot.sandbox", "--port", "0", "--bot", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "python -m bot.sandbox: error: a token looks like 123456:ABC"
