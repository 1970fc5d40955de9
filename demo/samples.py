"""Words that the generator draws from."""

LAST_NAMES = (
    "Adams", "Ahmed", "Anderson", "Begay", "Brown", "Carlson", "Chavez", "Clark", "Davis", "Díaz", "Edwards",
    "Fernández", "Fischer", "García", "Goldberg", "Hassan", "Hernandez", "Jackson", "Johnson", "Kowalski",
    "Larsen", "Lee", "Littlefeather", "López", "MacDonald", "Martínez", "Miller", "Moua", "Müller", "Nguyễn",
    "Núñez", "O'Brien", "Okafor", "Olson", "Østergård", "Patel", "Peña", "Pham", "Powell", "Ramirez", "Roberts",
    "Saint-Pierre", "Schmidt", "Singh", "Smith", "Thompson", "Tran", "Vang", "Van der Berg", "Washington", "Xiong",
    "Yang", "Young", "Zielińska",
)  # fmt: skip

FIRST_NAMES = (
    "Aaliyah", "Adam", "Amélie", "Ana", "Benjamin", "Björn", "Carlos", "Chloë", "Daniel", "Diego", "Elena", "Emma",
    "Fatima", "François", "Grace", "Hana", "Isaac", "Isabella", "Jamal", "José", "Kai", "Layla", "Liam", "Lucía",
    "Maria", "Mai", "Noah", "Noor", "Olivia", "Omar", "Pa Houa", "Quinn", "Renée", "Samuel", "Sofia", "Sven",
    "Thảo", "Uma", "Victor", "Wyatt", "Xochitl", "Yusuf", "Zoë",
)  # fmt: skip

LANGUAGES = ("eng",) * 12 + ("spa",) * 4 + ("hmn", "som", "vie", "ara")
COUNTRIES = ("US",) * 16 + ("MX", "LA", "SO", "VN")
STREETS = ("Main Street", "Lake Avenue", "Oak Lane", "3rd Street NE", "County Road 7", "Prairie Way", "Calle Río")
CITIES = {
    "NORTH": ("Northfield", "Dundas", "Cannon Falls"),
    "RIVER": ("River Falls", "Prescott", "Saint Croix"),
    "LAKE": ("Lakeshore", "Nisswa", "Pequot Lakes"),
}
SCHOOLS = {
    "NORTH": ("010101", "010102", "010103", "010110"),
    "RIVER": ("020201", "020202", "020203"),
    "LAKE": ("030301", "030302"),
}
GENDERS = ("F", "M") * 20 + ("X",)
RACES = ("1", "2", "3", "4", "5", "6", "6", "6", "7")
GRADES = ("PK", "KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12")
CALENDARS = ("District Calendar", "Year Round", "Evening School")
TITLES = ("Teacher, grade 4", "Mathematics", "Science", "Special education", "Reading coach", "Éducation musicale")
BEHAVIORS = ("1100", "1250", "2300", "3400")
RESOLUTIONS = ("01", "02", "05", None)
TESTS = ("MCA-R", "MCA-M", "ACCESS")
LEVELS = ("Does not meet", "Partially meets", "Meets", "Exceeds")
PLANS = ("Four-year college", "Two-year college", "Work", "Military", None)
