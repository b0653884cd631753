"""Twenty thousand invented intent topics: a subject and an aspect of it, named on demand.

A few more are called nearly as one of these, or exactly so.
"""

from functools import lru_cache
from itertools import count, product
from typing import NamedTuple

from leadpipe_mcp.sandbox.simulator import Json
from leadpipe_mcp.sandbox.vocabulary import table

# Percent of everybody: the topics of the documents' examples, CRM Software and CRM Integration.
_REACH = "117805:30,117890:26,117918:22,117801:18,102391:12,102081:28,102082:16"
# Ids follow the places in these tables, so new names go to the end.
# a topic whose kind and subject they share | name:percent of everybody,...
_NEAR_NAMES = """
102081|CRM:32,CRM Systems:24,CRM Platforms:14,CRM Tool:9,CRM Integrations:11,CRM App:6
102081|Customer Relationship Management:22,Customer Relationship Management Software:19
102081|Sales CRM:16
117890|Marketing Automation Software:21,Marketing Automation Tools:15
117890|Marketing Automation Platforms:12,Automated Marketing:4
117190|E-Mail Marketing Automation:7,Email Automation:17,Email Marketing:33,Email Marketing Tool:5
117021|Content Marketing:27,Content Marketing Strategy:8
117281|Search Engine Optimization:24,SEO:31
117391|Social Media Marketing:26
117891|Marketing Analytics Software:13
117921|Demand Generation:18,Account-Based Marketing:16
102181|Sales Enablement:20,Sales Enablement Platforms:6
102281|Lead Scoring:14
102391|Sales Forecasting:13
101081|Cybersecurity:31,Cyber Security:18,Cyber Security Software:9
101181|Endpoint Protection:12
101283|Zero Trust Network Access:17
100094|Cloud Computing:34
100011|Cloud Migrations:5
100295|Data Warehousing:8
100584|DevOps:17
100383|Machine Learning:24
103981|ERP:22,ERP Systems:16,Enterprise Resource Planning:12
103781|Payroll:18,Payroll Services:10
104181|Applicant Tracking Systems:9
104081|Recruitment Software:7
104681|Human Resources Information Systems:8
105181|Fleet Management:15
105081|Supply Chain Management:17
105300|Warehouse Management System:6
115081|Electronic Medical Records:9
116081|Contract Lifecycle Management:7
118281|Chatbots:12
118081|Help Desk:15
120200|Learning Management Systems:13
118781|Live Chat:8
"""
# name | type | industry | category | percent, for one called exactly as a topic of another type
_NAMESAKES = """
Coffee Subscriptions|b2b|Human Resources|Buying|3
Retirement Planning|b2b|Human Resources|Strategy|7
Credit Card Comparison|b2b|Finance|Buying|4
Electric Vehicle Financing|b2b|Logistics|Buying|5
Home Security Equipment|b2b|Security|Product|3
Expense Management Apps|b2c|Personal Finance|Product|6
Fraud Detection Guides|b2c|Personal Finance|Advice|5
Solar Financing|b2c|Home|Shopping|8
HVAC Maintenance|b2c|Home|Advice|9
Telehealth Apps|b2c|Health and Fitness|Product|11
Robotics Courses|b2c|Family|Advice|4
Project Management Software|b2c|Home|Product|2
"""


TOPIC_TYPES = ("b2b", "b2c", "both")


class Topic(NamedTuple):
    """One topic: what the API says of it, and what only the sandbox knows."""

    id: int
    name: str
    type: str
    industry: str
    category: str
    subject: str
    """What it and those around it are about: "CRM" for CRM Software."""
    reach: float | None = None
    """How large a part of everybody it interests, where that is not left to chance."""

    @property
    def row(self) -> Json:
        """The topic as every route shows it."""
        about: Json = {"type": self.type, "industry": self.industry, "category": self.category}
        return {"topicId": self.id, "topicName": self.name, **about}


class Field(NamedTuple):
    """A line of business that topics are about, and who cares for it more than others.

    Business topics interest departments and industries, those of private life people of some ages.
    """

    industry: str
    type: str
    subjects: tuple[str, ...]
    departments: tuple[str, ...]
    industries: tuple[str, ...]
    ages: tuple[str, ...]


# industry | type | subjects | departments | company industries | ages. The order gives the ids: the
# documented 117805 "Marketing ROI" and its neighbours fall into place because Marketing is tenth.
_FIELDS = """
Technology|b2b|Cloud,Kubernetes,Data Warehouse,Machine Learning,API,DevOps,Low-Code,Data Lake,Edge Computing,Serverless|engineering,information technology,product management|software development,information technology and services|
Security|b2b|Cybersecurity,Endpoint Security,Zero Trust,Identity Management,Penetration Testing,SIEM,Data Privacy,Fraud Detection,Ransomware,Email Security|information technology|computer and network security,information technology and services,banking|
Sales|b2b|CRM,Sales Enablement,Lead Scoring,Sales Forecasting,Account Planning,Sales Coaching,Cold Calling,Sales Compensation,Deal Desk,Revenue Operations|sales,marketing,customer success|software development,information technology and services,wholesale|
Finance|b2b|Accounts Payable,Accounts Receivable,Expense Management,Financial Planning,Treasury,Corporate Tax,Billing,Payroll,Procurement,ERP|finance|accounting,financial services,banking|
Human Resources|b2b|Recruiting,Applicant Tracking,Employee Engagement,Employee Benefits,Performance Review,Onboarding,HRIS,Workforce Planning,Employer Branding,Corporate Wellness|human resources|staffing and recruiting,human resources services|
Logistics|b2b|Supply Chain,Fleet Management,Warehouse,Freight,Last Mile Delivery,Inventory,Cold Chain,Customs,Route Planning,Packaging|operations|logistics and supply chain,transportation,warehousing,wholesale,retail|
Manufacturing|b2b|Industrial Automation,CNC Machining,Predictive Maintenance,Quality Management,Lean Production,Additive Manufacturing,Robotics,Industrial IoT,Plant Safety,Metal Fabrication|operations,engineering|machinery manufacturing,automotive,electronics manufacturing|
Healthcare|b2b|Electronic Health Records,Telehealth,Medical Billing,Clinical Trials,Patient Engagement,Medical Imaging,Revenue Cycle,Care Coordination,Medical Devices,Pharmacy|healthcare services,research|hospitals and health care,pharmaceuticals,medical devices|
Legal|b2b|Contract Management,E-Discovery,Compliance,Intellectual Property,Legal Research,Corporate Governance,Immigration,Document Review,Litigation,Regulatory Reporting|legal|law practice,legal services|
Marketing|b2b|Content,Email Marketing,SEO,Social Media,Paid Search,Influencer,Brand,Event Marketing,Marketing,Demand Generation|marketing,sales|advertising services,public relations,market research,software development|
Customer Service|b2b|Help Desk,Contact Center,Chatbot,Customer Success,Customer Feedback,Field Service,Knowledge Base,Live Chat,Loyalty,Customer Experience|customer success,sales|telecommunications,software development|
Construction|b2b|Building Information Modeling,Estimating,Project Management,Site Safety,Commercial Roofing,HVAC,Concrete,Scaffolding,Facility Management,Solar|operations|construction,architecture and planning,real estate|
Education|both|E-Learning,Learning Management,Corporate Training,Certification,Online Degree,STEM,Language Learning,Tutoring,Classroom,Coding Bootcamp|education,human resources|education management,higher education|
Travel|both|Business Travel,Hotel,Flight,Car Rental,Conference,Cruise,Travel Insurance,Airport Lounge,Vacation Rental,Rail|administrative,general management|hospitality,airlines and aviation|
Automotive|b2c|Electric Vehicle,SUV,Pickup Truck,Used Car,Hybrid,Motorcycle,Car Loan,Car Insurance,Tire,Minivan|||25 to 34,35 to 44,45 to 54
Home|b2c|Kitchen,Bathroom,Mattress,Home Security,Lawn,Furniture,Smart Home,Flooring,Home Office,Swimming Pool|||35 to 44,45 to 54,55 to 64
Health and Fitness|b2c|Running,Yoga,Weight Loss,Skin Care,Vitamin,Home Gym,Cycling,Sleep,Meditation,Hiking|||18 to 24,25 to 34,35 to 44
Personal Finance|b2c|Credit Card,Mortgage,Student Loan,Life Insurance,Retirement,Savings,Personal Loan,Investing,Home Equity,Tax Filing|||45 to 54,55 to 64,65 and older
Family|b2c|Baby,Toy,Wedding,Pet,Summer Camp,College,Birthday,Senior Care,Video Game,Board Game|||25 to 34,35 to 44
Food|b2c|Coffee,Meal Kit,Vegan,Grill,Wine,Organic,Snack,Tea,Gluten-Free,Keto|||18 to 24,25 to 34,35 to 44
"""  # noqa: E501 - one line per field of business reads better than broken ones

_BUSINESS_ASPECTS = {
    "Service": "Consulting,Agencies,Outsourcing,Audits,ROI,Support,Managed Services,Assessment,"
    "Implementation,Onboarding Services,Migration,Staffing,Training Services,Maintenance,"
    "Certification Services,Advisory,Retainers,Benchmarks,Reviews,Pilots",
    "Strategy": "Strategy,Roadmap,Budget,Best Practices,Planning,Transformation,Governance,Policy,"
    "Risk,Cost Reduction,Scaling,Maturity Model,Operating Model,Business Case,Change Management,"
    "Vendor Selection,Sourcing,Forecasting,Metrics,Goals",
    "Education": "Courses,Webinars,Conferences,Case Studies,White Papers,Guides,Templates,"
    "Checklists,Podcasts,Newsletters,Workshops,Trends,Research,Statistics,Glossary,Examples,"
    "Books,Communities,Meetups,Salaries",
    "Buying": "Pricing,Comparison,Alternatives,Demos,Free Trials,Requests for Proposal,Contracts,"
    "Discounts,Licensing,Subscriptions,Total Cost,Shortlists,Vendors,Suppliers,Marketplaces,"
    "Resellers,Partners,Procurement Rules,Financing,Renewals",
    "Product": "Software,Integration,Platform,Tools,Dashboards,Reporting,Apps,Plugins,Databases,"
    "Automation,Analytics,Monitoring,Open Source,Security,Cloud Hosting,Mobile,AI,Workflow,"
    "Optimization,Management Systems",
}
_CONSUMER_ASPECTS = {
    "Shopping": "Deals,Reviews,Comparison,Brands,Gifts,Coupons,Accessories,Prices,Sale,Stores,"
    "Subscriptions,Bundles,Rental,Second Hand,Financing,Wish Lists,New Releases,Clearance,"
    "Delivery,Returns",
    "Ideas": "Ideas,Inspiration,Trends,Styles,Colors,Checklists,Projects,Makeovers,Photos,Stories,"
    "Themes,Planning,Budget,Seasonal,Luxury,Vintage,Minimalist,Family,Weekend,Holiday",
    "Advice": "Tips,Guides,Courses,Problems,Maintenance,Repair,Safety,Beginners,Experts,Myths,"
    "Costs,Rules,Insurance,Warranty,Calculator,Rates,Eligibility,Requirements,Lessons,Coaching",
    "Product": "Equipment,Apps,Sets,Kits,Replacement Parts,Cleaning,Storage,Upgrades,Lighting,"
    "Organizers,Covers,Sensors,Smart Devices,Premium,Compact,Portable,Custom,Handmade,Refills,"
    "Starter Sets",
    "Community": "Clubs,Events,Forums,Podcasts,Videos,Influencers,Magazines,Newsletters,Challenges,"
    "Competitions,Festivals,Classes,Groups,Volunteering,Travel,Tours,Records,News,History,Quizzes",
}
# Where ids lie: two blocks of business topics and one of consumer topics, each with its first id
# and field. Each subject takes a hundred ids in a row, in the order of the table above. Near names
# come after all of them.
_BLOCKS = ((100_001, 0, 6), (114_001, 6, 14), (500_001, 14, 20))
_FIRST_NEAR_NAME = 600_001


FIELDS = {
    industry: Field(industry, kind, *(tuple(names.split(",")) for names in listed))
    for industry, kind, *listed in table(_FIELDS)
}
"""By industry."""


@lru_cache(maxsize=1)
def _by_id() -> dict[int, Topic]:
    found: dict[int, Topic] = {}
    fields = tuple(FIELDS.values())
    for first, start, end in _BLOCKS:
        numbers = count(first)
        for field in fields[start:end]:
            aspects = _CONSUMER_ASPECTS if field.type == "b2c" else _BUSINESS_ASPECTS
            for subject, (category, words) in product(field.subjects, aspects.items()):
                for aspect in words.split(","):
                    name, number = f"{subject} {aspect}", next(numbers)
                    topic = Topic(number, name, field.type, field.industry, category, subject)
                    found[number] = topic
    for number, percent in (map(int, pair.split(":")) for pair in _REACH.split(",")):
        found[number] = found[number]._replace(reach=percent / 100)
    numbers = count(_FIRST_NEAR_NAME)
    for like, names in table(_NEAR_NAMES):
        for name, percent in (pair.split(":") for pair in names.split(",")):
            number, reach = next(numbers), int(percent) / 100
            found[number] = found[int(like)]._replace(id=number, name=name, reach=reach)
    for name, kind, industry, category, percent in table(_NAMESAKES):
        # One that is like no other has its subject to itself.
        subject, number = f"{kind} {name}", next(numbers)
        of_kind = (kind, industry, category, subject)
        found[number] = Topic(number, name, *of_kind, int(percent) / 100)
    return found


def inventory() -> tuple[Topic, ...]:
    """Every topic there is, by id."""
    return tuple(_by_id().values())


def find_topic(topic_id: int) -> Topic | None:
    """The topic with this id, or None when the inventory has none."""
    return _by_id().get(topic_id)


_BREAKS = str.maketrans("-/&,.", "     ")


@lru_cache(maxsize=128)
def named(words: str) -> tuple[Topic, ...]:
    """The topics whose names have words that start so, in any order; the likeliest first."""
    wanted = " ".join(words.lower().split())
    parts = [f" {part}" for part in wanted.translate(_BREAKS).split()]

    def distance(topic: Topic) -> tuple[bool, bool, bool, int, str]:
        """The name itself comes first, then those that start or go on with it, then the rest."""
        name = topic.name.lower()
        inside = f" {wanted}" in f" {name}"
        return name != wanted, not name.startswith(wanted), not inside, len(name), topic.name

    found = (topic for topic, name in _words() if all(part in name for part in parts))
    return tuple(sorted(found, key=distance))


@lru_cache(maxsize=1)
def _words() -> list[tuple[Topic, str]]:
    """Every topic with the words of its name in lower case, a space before each."""
    names = ((topic, topic.name.lower().translate(_BREAKS).split()) for topic in inventory())
    return [(topic, f" {' '.join(words)}") for topic, words in names]
