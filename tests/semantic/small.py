"""A handful of labelled sentences, enough to learn something from in a second."""

from bot.semantic.sentences import Sentence

AT_RISK = (
    ("gave my sister the dog and all his things, he will be happier there", "preparation-and-farewell"),
    ("I gave away my guitar and wrote everyone a letter", "preparation-and-farewell"),
    ("wrote letters to each of the kids and put them in the drawer", "preparation-and-farewell"),
    ("gave the cat to the neighbours for good, said goodbye to everybody", "preparation-and-farewell"),
    ("they would all be lighter without me", "burden"),
    ("my family would have it so much easier if I was not around", "burden"),
    ("everybody carries me and they are tired, it would be easier without me", "burden"),
    ("regalé mis cosas y escribí una carta para cada uno", "preparation-and-farewell"),
    ("sin mí todos estarían más tranquilos", "burden"),
    ("mi familia descansaría si yo no estuviera", "burden"),
)
EVERYDAY = (
    "had soup for lunch and watched the match",
    "the breathing helped a bit, thanks",
    "ok",
    "a 6 today",
    "walked the dog in the rain, both soaked",
    "group was long but good",
    "can we do the check-in later, I am on the bus",
    "comí sopa y vi el partido",
    "gracias, me sirvió",
    "hoy un 7",
    "paseé al perro bajo la lluvia",
    "watched a film with my sister",
)
NEAR = ("gave my old coat to the charity shop", "wrote a letter to the council about the bins")


def sentences() -> tuple[Sentence, ...]:
    risky = [
        Sentence(id=f"en-risk:{n}", text=text, level="orange", category=category, kind="implied", language="en")
        for n, (text, category) in enumerate(AT_RISK, 2)
    ]
    harmless = [
        Sentence(id=f"en-{kind}:{n}", text=text, level="none", kind=kind, language="en")
        for kind, texts in (("everyday", EVERYDAY), ("near", NEAR))
        for n, text in enumerate(texts, 2)
    ]
    return (*risky, *harmless)


def write_csv(folder) -> None:
    """Write the sentences as files of a content folder."""
    examples = folder / "risk" / "examples"
    examples.mkdir(parents=True, exist_ok=True)
    lines = [f'"{one.text}",{one.level},{one.category},{one.kind}' for one in sentences()]
    (examples / "en-all.csv").write_text("text,level,category,kind\n" + "\n".join(lines), encoding="utf-8")
