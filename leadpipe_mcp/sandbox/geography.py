"""The states of the United States, as places for invented people and companies."""

from typing import NamedTuple


class Place(NamedTuple):
    """A state with what an address and a telephone number in it need."""

    state: str
    weight: int
    area_code: str
    zip_prefix: str
    cities: tuple[str, ...]


_TABLE = """
alabama|5|205|352|Birmingham/Montgomery
alaska|1|907|995|Anchorage/Juneau
arizona|7|602|850|Phoenix/Tucson
arkansas|3|501|722|Little Rock/Fayetteville
california|39|415|941|San Francisco/Los Angeles/San Diego
colorado|6|303|802|Denver/Boulder
connecticut|4|203|066|Hartford/Stamford
delaware|1|302|198|Wilmington/Dover
district of columbia|1|202|200|Washington
florida|22|305|331|Miami/Tampa/Orlando
georgia|11|404|303|Atlanta/Savannah
hawaii|1|808|968|Honolulu/Hilo
idaho|2|208|837|Boise/Meridian
illinois|13|312|606|Chicago/Springfield
indiana|7|317|462|Indianapolis/Fort Wayne
iowa|3|515|503|Des Moines/Cedar Rapids
kansas|3|316|672|Wichita/Topeka
kentucky|5|502|402|Louisville/Lexington
louisiana|5|504|701|New Orleans/Baton Rouge
maine|1|207|041|Portland/Augusta
maryland|6|410|212|Baltimore/Annapolis
massachusetts|7|617|021|Boston/Worcester
michigan|10|313|482|Detroit/Grand Rapids
minnesota|6|612|554|Minneapolis/Saint Paul
mississippi|3|601|392|Jackson/Gulfport
missouri|6|314|631|St. Louis/Kansas City
montana|1|406|591|Billings/Missoula
nebraska|2|402|681|Omaha/Lincoln
nevada|3|702|891|Las Vegas/Reno
new hampshire|1|603|031|Manchester/Concord
new jersey|9|201|073|Jersey City/Newark
new mexico|2|505|871|Albuquerque/Santa Fe
new york|20|212|100|New York/Buffalo/Rochester
north carolina|11|704|282|Charlotte/Raleigh
north dakota|1|701|581|Fargo/Bismarck
ohio|12|614|432|Columbus/Cleveland
oklahoma|4|405|731|Oklahoma City/Tulsa
oregon|4|503|972|Portland/Eugene
pennsylvania|13|215|191|Philadelphia/Pittsburgh
rhode island|1|401|029|Providence/Warwick
south carolina|5|803|292|Columbia/Charleston
south dakota|1|605|571|Sioux Falls/Rapid City
tennessee|7|615|372|Nashville/Memphis
texas|30|512|787|Austin/Dallas/Houston
utah|3|801|841|Salt Lake City/Provo
vermont|1|802|054|Burlington/Montpelier
virginia|9|804|232|Richmond/Virginia Beach
washington|8|206|981|Seattle/Spokane
west virginia|2|304|253|Charleston/Morgantown
wisconsin|6|414|532|Milwaukee/Madison
wyoming|1|307|820|Cheyenne/Casper
"""


def _place(line: str) -> Place:
    state, weight, area_code, zip_prefix, cities = line.split("|")
    return Place(state, int(weight), area_code, zip_prefix, tuple(cities.split("/")))


PLACES: tuple[Place, ...] = tuple(_place(line) for line in _TABLE.split("\n") if line)
