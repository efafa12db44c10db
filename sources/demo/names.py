"""Given names, family names and streets of the made-up municipality. Nobody in particular is meant."""

from __future__ import annotations

WOMEN = (
    "Alice", "Maja", "Elsa", "Astrid", "Wilma", "Freja", "Olivia", "Selma", "Alma", "Ella", "Åsa", "Märta", "Ärla",
    "Ebba", "Signe", "Linnéa", "Saga", "Vera", "Sigrid", "Stina", "Fatima", "Amina", "Leila", "Zahra", "Maryam",
    "Märit", "Görel", "Tindra", "Elin", "Nora", "Ingrid", "Känna", "Bodil", "Hanna", "Klara", "Tuva",
)  # fmt: skip
MEN = (
    "William", "Liam", "Noah", "Hugo", "Lucas", "Adam", "Oliver", "Björn", "Örjan", "Östen", "Åke", "Göran", "Nils",
    "Olle", "Elias", "Axel", "Vidar", "Love", "Sixten", "Loke", "Mohamed", "Ali", "Yusuf", "Ibrahim", "Omar", "Jörgen",
    "Håkan", "Mårten", "Pär", "Torbjörn", "Gösta", "Ludvig", "Melker", "Isak", "Viggo", "Sören",
)  # fmt: skip
FAMILY = (
    "Andersson", "Johansson", "Karlsson", "Nilsson", "Eriksson", "Larsson", "Olsson", "Persson", "Svensson",
    "Gustafsson", "Åkesson", "Lindström", "Öberg", "Nyström", "Sjögren", "Bergström", "Holmström", "Ekström", "Hägg",
    "Ahlström", "Dahl", "Björk", "Hassan", "Nguyen", "Wikström", "Åberg", "Ängström", "Östlund", "Mårtensson",
    "Söderberg", "Löfgren", "Grönlund", "Hellström", "Norén", "Rosén", "Lindén", "Sandström", "Blomqvist", "Lindqvist",
    "Hedlund", "Öhman", "Åström", "Norström", "Kowalski", "Ahmed", "Yılmaz", "Haddad", "Virtanen",
    "af Klinteby", "von Ärlå",
)  # fmt: skip
STREETS = (
    "Björkvägen", "Ängsgatan", "Skolgatan", "Åsvägen", "Östra Långgatan", "Kvarnvägen", "Rönnstigen", "Bäckgränd",
    "Hagvägen", "Kyrkogatan", "Sjövägen", "Lärkvägen",
)  # fmt: skip
PLACES = (
    "Björkåsa", "Ängsö", "Rönninge", "Åby", "Östervåla", "Kvarnbacken", "Söderäng", "Hagalund", "Lärkans", "Norrgården",
    "Sjöviken", "Västanå", "Bäckhagen", "Älvsborg", "Gärdet", "Tallåsen", "Ekbacken", "Stenhamra", "Solängen", "Myrsjö",
)  # fmt: skip
