"""Which language the code in a file's name means: en, eng, en-US, en-orig."""

from __future__ import annotations

import re
from collections.abc import Sequence

# ISO 639-1 with the three-letter codes of ISO 639-2; files and video tracks use either.
_CODES = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bh:bih
bi:bis bm:bam bn:ben bo:bod:tib br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces:cze cu:chu cv:chv
cy:cym:wel da:dan de:deu:ger dv:div dz:dzo ee:ewe el:ell:gre en:eng eo:epo es:spa et:est eu:eus:baq fa:fas:per
ff:ful fi:fin fj:fij fo:fao fr:fra:fre fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin
ho:hmo hr:hrv ht:hat hu:hun hy:hye:arm hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl:ice it:ita
iu:iku ja:jpn jv:jav ka:kat:geo kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur
kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri:mao
mk:mkd:mac ml:mal mn:mon mr:mar ms:msa:may mt:mlt my:mya:bur na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld:dut
nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que
rm:roh rn:run ro:ron:rum ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk:slo sl:slv sm:smo sn:sna
so:som sq:sqi:alb sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl
tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol
xh:xho yi:yid yo:yor za:zha zh:zho:chi zu:zul
"""
_TWO_LETTERS = {long: codes[0] for entry in _CODES.split() for codes in [entry.split(":")] for long in codes[1:]}


def is_language(code: str) -> bool:
    """Whether a text has the form of a language code: two or three letters, then a region or the like."""
    return re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*", code) is not None


def best_codes(codes: Sequence[str], languages: Sequence[str]) -> list[str]:
    """Those codes that mean one of the languages, in the order of the languages.

    A language stands for its variants too, which come after it: the original ("en-orig", as yt-dlp calls captions in
    the language that is spoken) before the regions. A region ("pt-BR") does not stand for the language.

    Example:
        >>> best_codes(["de", "en-US", "eng", "en-orig", "fr"], ["fr", "en"])
        ['fr', 'eng', 'en-orig', 'en-US']
    """
    found = {}
    for language in languages:
        wanted = _normalised(language)
        matching = [code for code in codes if f"{_normalised(code)}-".startswith(f"{wanted}-")]
        found |= dict.fromkeys(sorted(matching, key=lambda code: _rank(_normalised(code), wanted)))
    return list(found)


def _rank(code: str, wanted: str) -> tuple[bool, bool, str]:
    return code != wanted, not code.endswith("-orig"), code


def _normalised(code: str) -> str:
    language, *rest = code.lower().replace("_", "-").split("-")
    return "-".join([_TWO_LETTERS.get(language, language), *rest])
