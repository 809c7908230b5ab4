"""What a starting server says: where to look, and who is there to play with."""

from service.cli.naming import told, told_elsewhere
from service.demo import town
from service.gateways import beside
from service.settings import Settings

_SHOWN = (
    town.TREASURER,
    town.OPERATOR,
    town.CITY,
    f"+{town.FIRST_COLLECTOR}",
    f"+{town.FIRST_RESIDENT}",
)


def greeting(settings: Settings, *, has_demo: bool) -> str:
    """Everything somebody needs who has just started it, in one screen."""
    places = {
        "API": f"{url_of(settings)}/docs",
        "problems": f"{url_of(settings)}/problems",
        "data folder": str(settings.data_dir.resolve()),
        "database": "PostgreSQL" if not settings.is_sqlite else settings.database[10:],
        "messages": _messages(settings),
    }
    if settings.plays_gateway:
        standin = f"http://{beside.HOST}:{settings.standin_port}/standin/payouts"
        places["gateway"] = f"{beside.NAME}, which moves no money: {standin}"
    lines = ["", "Jumpa Madu", ""]
    lines += [f"  {what:<13}{where}" for what, where in places.items()]
    lines += ["", *(_play(settings) if has_demo else _first_steps())]
    return "\n".join(lines)


def url_of(settings: Settings) -> str:
    """The address to open on this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _messages(settings: Settings) -> str:
    if settings.whatsapp_url:
        return "over WhatsApp"
    return str(settings.data_dir.resolve() / "messages.jsonl")


def _play(settings: Settings) -> list[str]:
    people = {person.phone: person for person in town.people()}
    bank = town.BANKS[0]
    rows = [
        (people[phone].role, phone, people[phone].name, _where(people[phone])) for phone in _SHOWN
    ]
    return [
        f"Demo people of {bank.name}, {bank.id}",
        "",
        *(
            f"  {role:<11}{phone:<17}{name:<20}{where}".rstrip()
            for role, phone, name, where in rows
        ),
        "",
        "Nobody has a password. Ask for a code, and read it from the messages:",
        "",
        f"  curl -d '{{\"phone\": \"{_SHOWN[-1]}\"}}' -H 'Content-Type: application/json'"
        f" {url_of(settings)}/v1/auth/codes",
        f"  tail -n 1 {_messages(settings)}",
        "",
        f"A whole day of the town, from another terminal: {told_elsewhere('demo day', settings)}",
        "",
    ]


def _where(person: town.Townsperson) -> str:
    return "at all four banks" if len(person.banks) == len(town.BANKS) else person.address


def _first_steps() -> list[str]:
    return [
        f"There is no demo in this database. A first waste bank: {told('bank create --help')}",
        "",
    ]
