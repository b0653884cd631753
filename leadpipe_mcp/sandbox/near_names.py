"""Topics called nearly as others are, so that a choice among names is work, as in life."""

from typing import NamedTuple


class NearName(NamedTuple):
    """A further topic; its id follows from its place in the table, so new ones go to the end."""

    name: str
    reach: float
    """How large a part of everybody it reaches."""
    like: int = 0
    """The topic that it is another word for, and whose kind it has; 0 if there is none."""
    kind: str = ""
    """Type, industry and category of one that is like no other, parted by bars."""


# name | the topic whose kind and subject it has | percent of everybody
# name | type | industry | category | percent, for one called exactly as a topic of another type
_TABLE = """
CRM|102081|32
CRM Systems|102081|24
CRM Platforms|102083|14
CRM Tool|102084|9
CRM Integrations|102082|11
CRM App|102087|6
Customer Relationship Management|102081|22
Customer Relationship Management Software|102081|19
Sales CRM|102081|16
Marketing Automation Software|117890|21
Marketing Automation Tools|117890|15
Marketing Automation Platforms|117890|12
Automated Marketing|117890|4
E-Mail Marketing Automation|117190|7
Email Automation|117190|17
Email Marketing|117181|33
Email Marketing Tool|117184|5
Content Marketing|117021|27
Content Marketing Strategy|117021|8
Search Engine Optimization|117281|24
SEO|117281|31
Social Media Marketing|117391|26
Marketing Analytics Software|117891|13
Demand Generation|117921|18
Account-Based Marketing|117921|16
Sales Enablement|102181|20
Sales Enablement Platforms|102183|6
Lead Scoring|102281|14
Sales Forecasting|102391|13
Cybersecurity|101081|31
Cyber Security|101081|18
Cyber Security Software|101081|9
Endpoint Protection|101181|12
Zero Trust Network Access|101283|17
Cloud Computing|100094|34
Cloud Migrations|100011|5
Data Warehousing|100295|8
DevOps|100584|17
Machine Learning|100383|24
ERP|103981|22
ERP Systems|103981|16
Enterprise Resource Planning|103981|12
Payroll|103781|18
Payroll Services|103781|10
Applicant Tracking Systems|104181|9
Recruitment Software|104081|7
Human Resources Information Systems|104681|8
Fleet Management|105181|15
Supply Chain Management|105081|17
Warehouse Management System|105300|6
Electronic Medical Records|115081|9
Contract Lifecycle Management|116081|7
Chatbots|118281|12
Help Desk|118081|15
Learning Management Systems|120200|13
Live Chat|118781|8
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


def _near_name(line: str) -> NearName:
    name, *kind, percent = line.split("|")
    reach = int(percent) / 100
    if len(kind) == 1:
        return NearName(name, reach, like=int(kind[0]))
    return NearName(name, reach, kind="|".join(kind))


NEAR_NAMES: tuple[NearName, ...] = tuple(_near_name(line) for line in _TABLE.split("\n") if line)
