"""Which voice speaks, given Twilio's voice names and a language.

There is one natural voice, English and male; it speaks whatever is English, whoever is asked for, since being
understood matters more. Every other language is espeak-ng's, as man or woman. `Polly.*` and `Google.*`
names bring their language along, which wins over the `language` attribute as it does at Twilio.
"""

import re
from dataclasses import dataclass

_POLLY = {
    "ar": "Zeina Hala Zayd", "arb": "Zeina", "ca-ES": "Arlet", "cmn": "Zhiyu", "cs-CZ": "Jitka",
    "cy-GB": "Gwyneth", "da-DK": "Naja Mads Sofie", "de-AT": "Hannah", "de-CH": "Sabrina",
    "de-DE": "Marlene Vicki Hans Daniel", "en-AU": "Nicole Olivia Russell", "en-GB": "Amy Emma Brian Arthur",
    "en-GB-WLS": "Geraint", "en-IE": "Niamh", "en-IN": "Aditi Raveena Kajal", "en-NZ": "Aria",
    "en-US": "Danielle Ivy Joanna Kendra Kimberly Salli Ruth Joey Justin Kevin Matthew Gregory Stephen",
    "en-ZA": "Ayanda", "es-ES": "Conchita Lucia Enrique Sergio Raul Alba", "es-MX": "Mia Andres",
    "es-US": "Lupe Penelope Miguel Pedro", "fi-FI": "Suvi", "fr-BE": "Isabelle",
    "fr-CA": "Chantal Gabrielle Liam", "fr-FR": "Celine Lea Mathieu Remi", "hi-IN": "Aditi Kajal",
    "is-IS": "Dora Karl", "it-IT": "Carla Bianca Giorgio Adriano", "ja-JP": "Mizuki Kazuha Tomoko Takumi",
    "ko-KR": "Seoyeon", "nb-NO": "Liv Ida", "nl-BE": "Lisa", "nl-NL": "Lotte Laura Ruben",
    "pl-PL": "Ewa Maja Ola Jacek Jan", "pt-BR": "Camila Vitoria Ricardo Thiago", "pt-PT": "Ines Cristiano",
    "ro-RO": "Carmen", "ru-RU": "Tatyana Maxim", "sv-SE": "Astrid Elin", "tr-TR": "Filiz Burcu",
    "yue": "Hiujin",
}  # fmt: skip
_MALE = {
    "Zayd", "Mads", "Hans", "Daniel", "Russell", "Brian", "Arthur", "Geraint", "Joey", "Justin", "Kevin",
    "Matthew", "Gregory", "Stephen", "Enrique", "Sergio", "Raul", "Andres", "Miguel", "Pedro", "Liam",
    "Mathieu", "Remi", "Karl", "Giorgio", "Adriano", "Takumi", "Ruben", "Jacek", "Jan", "Ricardo", "Thiago",
    "Cristiano", "Maxim",
}  # fmt: skip
_POLLY_LANGUAGES = {name: language for language, names in reversed(_POLLY.items()) for name in names.split()}
_GOOGLE = re.compile(r"google\.([a-z]{2,3}-[a-z]{2})-.*", re.IGNORECASE)
_ESPEAK_NAMES = {"zh": "cmn", "no": "nb", "arb": "ar", "iw": "he", "in": "id", "fil": "tl"}


@dataclass(frozen=True, slots=True)
class Voice:
    language: str
    """BCP 47, as it was given."""
    female: bool

    @property
    def natural(self) -> bool:
        """Whether the natural voice speaks this language."""
        return self.language.lower().partition("-")[0] == "en"

    @property
    def espeak_names(self) -> list[str]:
        """espeak-ng's voices to try, best first; English is the last, which it always has."""
        tag = self.language.lower().replace("_", "-")
        primary = tag.partition("-")[0]
        names = [tag, _ESPEAK_NAMES.get(primary, primary), "en-us"]
        variant = "+f3" if self.female else ""
        return [name + variant for name in dict.fromkeys(names) if re.fullmatch(r"[a-z0-9-]{2,20}", name)]


def choose_voice(name: str, language: str) -> Voice:
    """The voice for `<Say voice= language=>`; unknown names are a man's in the language given."""
    if match := _GOOGLE.fullmatch(name):
        return Voice(match[1], female=name.rpartition("-")[2][:1].upper() in "ACEFGH")
    if name.lower().startswith("polly."):
        bare = name.partition(".")[2].partition("-")[0].capitalize()
        return Voice(_POLLY_LANGUAGES.get(bare, language), female=bare not in _MALE)
    return Voice(language or "en-US", female=name.lower() in ("woman", "alice"))
