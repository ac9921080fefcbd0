"""Names announced by the words before them: 'my name is', 'Dear Mr', 'Regards,', 'From:'. In several languages.

A language model misses rare and lower-case names; after such words even those are certain. What follows is cut at
the first word that cannot belong to a name.
"""

import re
from collections.abc import Iterator
from typing import Any

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.reading.starts import Anchored, limit, single_letters
from ds_pipeline.masking.reading.words import fold, is_common, listed

_ANY_CASE = regex.IGNORECASE
_PARTICLES = listed(
    """
    van de von der den del della di da dos das du la le el al bin bint ben ibn ter ten zu y af av
    """
)
_TITLES = (
    r"(?:mr|mrs|ms|mx|miss|dr|prof|professor|herr|herrn|frau|monsieur|madame|mme|mlle|señor|señora|sr|sra|srta|signor|"
    r"signora|sig|dott|dhr|mevr|mevrouw|meneer|mw|pan|pani|senhor|senhora|hr|capt|rev|sgt)\b\.?"
)
NOT_NAMES = listed(
    """
    not on in the a an no to at is of my your our this that it as by for from with spelled spelt misspelled
    wrong incorrect different and or but so if we i you he she they there here still just sorry unable glad
    happy sure also all team support everyone everybody customer customers service care sales billing help desk
    helpdesk admin folks guys again sir madam sirs ladies gentlemen whom both hi hello hey dear thanks thank
    please n/a na none unknown tbc tbd null nan same above below best kind regards everyone staff manager
    department office company user client rgds thx regds cheers sincerely yours best love thnx tks ty br kr mfg
    lg vg grüße gruss gruß cordialement saludos groet groeten groetjes saluti sent attached ps tel phone fax
    mobile iban bic username hkid codice fiscale personnummer acct mail mailto bot steuer kimlik wheres whats
    thats hes shes im ive dont cant wont didnt doesnt isnt wasnt centre wifi wi-fi transcript vm msg re fwd
    subject dob nif dni ssn nino t.c t.c. discord payer holder given surname username user_name steuer- li td tr
    div br pan tin vat id ref sku qty hoi kia ora user customer agent visitor caller guest room damen herren
    equipo soporte zusammen alle tous toutes todos tutti monsieur madame mesdames messieurs klantenservice
    kundenservice monday tuesday wednesday thursday friday saturday sunday january february march september
    october november december german english french
    """
)
_STRONG = (
    r"my\s+(?:full\s+|first\s+|last\s+)?name(?:\s+is|['’]s|\s*:)|name['’]?s\s+(?=\p{Lu})|the\s+name(?:\s+is|['’]s)|"
    r"i\s+am\s+called|i['’]m\s+called|call\s+me(?!\s+(?:back|on|at|when|if|as|to|a|today|tomorrow|asap|please|later|anytime|any))|"
    r"je\s+m['’]appelle|mon\s+nom\s+est|me\s+llamo|mi\s+nombre\s+es|ich\s+hei(?:ß|ss)e|mein\s+name\s+ist|mijn\s+naam\s+is|"
    r"ik\s+heet|mi\s+chiamo|il\s+mio\s+nome\s+è|(?:o\s+)?meu\s+nome\s+é|chamo-me|nazywam\s+się|jag\s+heter|"
    r"mitt\s+namn\s+är|jeg\s+hedder|mit\s+navn\s+er|jeg\s+heter|nimeni\s+on|jmenuji\s+se|numele\s+meu\s+este|mă\s+numesc"
)
_LABELS = (
    r"(?:(?:full|first|last|family|given|middle|maiden|sur|customer|client|contact|account|holder|cardholder|patient|"
    r"tenant|employee|guest|passenger|recipient|beneficiary|billing|shipping|owner|caller|your|user|member|student|"
    r"parent|buyer|sender)[\s_-]?(?:['’]s\s)?){0,2}name|surname|first_?name|last_?name|nom|prénom|nachname|vorname|nombre|"
    r"apellidos?|naam|voornaam|achternaam|cognome|nome|imię|nazwisko|namn|navn|"
    r"(?:account|card|policy)[\s_-]?holder|cardholder|caller|contact(?:\s+person)?|attn|attention|signed(?:\s+by)?|"
    r"customer|client|patient|tenant|passenger|guest|recipient|beneficiary|agent|driver|employee|witness|"
    r"emergency\s+contact|next\s+of\s+kin|assigned\s+to|assignee|reported\s+by|reporter|requested\s+by|approved\s+by|"
    r"submitted\s+by|handled\s+by|written\s+by|author|sender|bill\s+to|ship\s+to|sold\s+to|deliver\s+to|from|to|cc|bcc|von|an"
)
_CUES = {
    # how names may be written after the words: any case, or with capitals
    "any": [
        rf"\b(?:{_STRONG})[\s\"“':]{{1,3}}",
        rf"(?<![\p{{L}}_-]){_TITLES}\s{{0,2}}(?:and\s+(?:mrs|ms|mr)\.?\s+)?",
        r"(?<![\p{L}])c/o\s{1,2}",
        r"(?<![\p{L}])(?:surname|(?:given|first|last|family)\s+names?|noms?|prénoms?|nachname|vornamen?|apellidos?|nombres?)[ \t]+(?=(?-i:\p{Lu}))",  # noqa: E501
    ],
    "label": [rf"(?:^|(?<=[\n|;,{{(\"]))[ \t>*_\"'-]{{0,6}}(?:{_LABELS})[\"']?\s?[:=][ \t\"'*]{{0,4}}"],
    "capital": [
        r"\b(?:this\s+is|it['’]?s|i\s+am|i['’]m|im|soy|ich\s+bin|je\s+suis|sono|ik\s+ben|sou|jestem)\s+",
        r"\b(?:sp(?:oke|eak|eaking|oken)\s+(?:to|with)|talk(?:ed|ing)?\s+(?:to|with)|ask\s+for|chat(?:ted)?\s+with|on\s+behalf\s+of|"
        r"a(?:ssigned|ttention)\s+to|care\s+of|registered\s+to|in\s+the\s+name\s+of|under\s+the\s+name(?:\s+of)?|signed\s+by|"
        r"named|called|colleague|(?:my|his|her|our|their)\s+(?:wife|husband|partner|daughter|son|mother|father|mum|mom|dad|brother|"
        r"sister|friend|manager|boss|assistant|neighbou?r|colleague|landlord|uncle|aunt|fianc[ée]e?|roommate|flatmate),?)\s+",
    ],
    "greeting": [
        r"(?:^|(?<=[\n.!?>:]))[ \t]{0,3}(?:dear|hi|hiya|hello|hey|hallo|hoi|lieber?|sehr\s+geehrter?|bonjour|salut|chère?|ciao|"  # noqa: E501
        r"estimad[oa]|hola|querid[oa]|beste|geachte|gentile|car[oa]|prezad[oa]|olá|szanown[ya]|cześć|hej|kära|kære|god\s+morning|"
        r"good\s+(?:morning|afternoon|evening)|morning|thanks|thank\s+you|thx|cheers|merci|danke|gracias|grazie|bedankt)"
        r"(?:\s+(?:so\s+much|a\s+lot|again))?,?[ \t]+",
    ],
}
_SIGN_OFF = (
    r"(?:^|(?<=[\n.!?,;]))[ \t]{0,3}(?:(?:with\s+|my\s+)?(?:(?:kind|kindest|best|warm|warmest|many)[ \t]+)?(?:regards|rgds|wishes)|sincerely(?:\s+yours)?|"  # noqa: E501
    r"yours(?:\s+(?:truly|faithfully|sincerely))?|respectfully|cheers|many\s+thanks|thanks(?:\s+(?:again|in\s+advance|so\s+much|a\s+lot))?|"
    r"thank\s+you(?:\s+(?:again|in\s+advance|so\s+much|very\s+much))?|thx|ta|best|br|kr|vg|lg|mfg|mvh|love|cordially|"
    r"mit\s+freundlichen\s+grü(?:ß|ss)en|(?:viele|liebe|beste|herzliche|freundliche|schöne)\s+grü(?:ß|ss)e|gru(?:ß|ss)|cordialement|"
    r"bien\s+(?:à\s+vous|cordialement)|salutations|sincèrement|(?:un\s+)?(?:cordial\s+)?saludos?(?:\s+cordiales)?|atentamente|"
    r"(?:met\s+)?vriendelijke\s+groet(?:en)?|groet(?:en|jes)?|(?:cordiali|distinti)\s+saluti|saluti|atenciosamente|cumprimentos|"
    r"z\s+poważaniem|pozdrawiam|(?:med\s+)?vänliga?\s+hälsning(?:ar)?|hälsningar|(?:med\s+)?venlig\s+hilsen|hilsen|signed|sent\s+by|xx+|xoxo|greetings(?:\s+from\s+\p{L}+)?)"
)
_LINE_NAME = r"(\p{L}[\p{L}\p{M}.'’-]*(?:[ \t]+\p{L}[\p{L}\p{M}.'’-]*){0,3})"
_AFTER_SIGN_OFF = Anchored(
    rf"{_SIGN_OFF}[ \t]*(?:[,.!–-]*[ \t]*(?:\r?\n[ \t>*_~–-]*){{1,3}}|[,!–-]+[ \t]*){_LINE_NAME}[ \t,.!]*(?=\r?\n|$|\||\(|<|[ \t]--)",  # noqa: E501
    lead=" \t",
    most=3,
    after="\n.!?,;",
)
_MAILBOX_END = re.compile(r"[<(\[][^\s<>()\[\]]{1,64}@")
_MAILBOX = regex.compile(
    r"(?:^|(?<=[\n;,:]))[ \t]*\"?((?:\p{L}[\p{L}\p{M}.'’-]*,?[ \t]+){0,4}\p{L}[\p{L}\p{M}.'’-]*)\"?[ \t]{1,3}[<(\[](?=[^\s<>()\[\]]{1,64}@)"  # noqa: E501
)
_LEADS: dict[str, dict[str, Any]] = {
    "label": {"lead": " \t>*_\"'-", "most": 6, "after": '\n|;,{("'},
    "greeting": {"lead": " \t", "most": 3, "after": "\n.!?>:"},
}
_COMPILED = [
    (kind, Anchored("|".join(cues), _ANY_CASE | regex.MULTILINE, **_LEADS.get(kind, {})))
    for kind, cues in _CUES.items()
]
_NAME_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’.-][\p{L}\p{M}]+)*\.?")
_TITLE_WORD = regex.compile(_TITLES, _ANY_CASE)
_SPELLED = regex.compile(r"(?<![\p{L}\d-])\p{Lu}(?:(?:-|[ ]{1,3})\p{Lu}){4,}(?![\p{L}\d])")  # D-I-L-R-U-K-S-H-I
_FEWEST_SPELLED = 5
_MOST_WORDS = 4
_AFTER_GREETED = ("", ",", "!", "\n", "\r")


def find_cued_names(text: str) -> Iterator[Span]:
    """Names after words that announce one; the words themselves stay."""
    for kind, cue in _COMPILED:
        for match in cue.finditer(text):
            span = _name_at(
                text, match.end(), any_case=kind != "capital", sure=kind in ("any", "label"), label=kind == "label"
            )
            if span and (
                kind != "greeting" or text[span[0]].isupper() or text[span[1] : span[1] + 1] in _AFTER_GREETED
            ):
                yield span
    if single_letters(text) >= _FEWEST_SPELLED:
        yield from (match.span() for match in _SPELLED.finditer(text, timeout=limit(text)))
    for match in _AFTER_SIGN_OFF.finditer(text, overlapped=True):
        yield from _line_name(text, match.span(1))
    if _MAILBOX_END.search(text):
        for match in _MAILBOX.finditer(text, overlapped=True, timeout=limit(text)):
            yield from _line_name(text, match.span(1))


def _name_at(text: str, at: int, *, any_case: bool, sure: bool, label: bool) -> Span | None:
    """The name that begins there: words that may belong to one, up to four; None if the first one may not."""
    title = _TITLE_WORD.match(text, at)
    if title and title.end() < len(text):
        at = title.end() + (1 if text[title.end() : title.end() + 1] == " " else 0)
        any_case = sure = True
    words: list[tuple[int, int]] = []
    particles: list[tuple[int, int]] = []
    while len(words) < _MOST_WORDS:
        match = _NAME_WORD.match(text, at)
        if not match:
            break
        word, plain = match[0], fold(match[0].rstrip("."))
        if plain in _PARTICLES and not word[0].isupper():
            particles.append(match.span())
        elif _fits(word, plain, first=not words, any_case=any_case, sure=sure, shout=text[at : at + 40].isupper()):
            words += [*particles, match.span()]
            particles = []
        else:
            break
        at = match.end()
        if word.endswith(".") and len(plain) > 2:
            break
        if text[at : at + 1] in (" ", "\t"):
            at += 1
        elif label and text[at : at + 2] == ", " and len(words) == 1:
            at += 2
        else:
            break
    if not words or (label and len(words) == 1 and _is_plain_word(text[slice(*words[0])])):
        return None
    start, end = words[0][0], words[-1][1]
    return start, end - (text[end - 1] == "." and end - words[-1][0] > 2)


def _fits(word: str, plain: str, *, first: bool, any_case: bool, sure: bool, shout: bool) -> bool:
    if plain in NOT_NAMES:
        return False
    capital = word[0].isupper() and not (shout and not any_case)
    if len(plain) == 1:
        return capital and (not first or word.endswith("."))
    if not is_common(plain):
        return capital or any_case
    return first and ((capital and plain in _NAME_LIKE) or (sure and (capital or plain in _NAME_LIKE)))


def _is_plain_word(word: str) -> bool:
    return is_common(word) and fold(word) not in _NAME_LIKE


def _line_name(text: str, span: Span) -> Iterator[Span]:
    """The span, if it has the look of a name on its own: no word of it is common, or all have capitals."""
    words = [(match[0], fold(match[0].rstrip("."))) for match in _NAME_WORD.finditer(text, *span)]
    if not words or any(plain in NOT_NAMES for _, plain in words):
        return
    common = [is_common(plain) and len(plain) > 1 for _, plain in words]
    capital = all(word[0].isupper() or plain in _PARTICLES for word, plain in words)
    named = len(words) == 2 and words[0][1] in _NAME_LIKE
    if not any(common) or (capital and (named or not all(common) or (len(words) == 1 and words[0][1] in _NAME_LIKE))):
        yield span


# words that are first names too, as they may stand alone
_NAME_LIKE = listed(
    """
    will may rich mark rose grace bill frank hope joy summer april june august art dean faith charity autumn
    dawn eve ivy lily daisy violet pearl ruby amber jade crystal gay gene jack pat drew grant chase miles lane
    dale brook ray sky chip chuck dick jimmy pierce reed rod sandy angel melody mercy patience penny poppy
    prudence harmony hunter mason archer justice guy earl duke carter chance cliff clay jay king john paul
    """
)
