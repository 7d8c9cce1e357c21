package chooser

import "testing"

func TestTheFirstHitAmongEightThousandIsTheOneMeant(t *testing.T) {
	t.Parallel()
	x := NewIndex(manyOffices(8000))
	for typed, want := range map[string]string{
		// abbreviations
		"UCLA": "University of California, Los Angeles", "u.c.l.a.": "University of California, Los Angeles", "mit": "Massachusetts Institute of Technology",
		"KCL": "King's College London", "LMU": "Ludwig-Maximilians-Universität München", "TUM": "Technische Universität München", "UNAM": "Universidad Nacional Autónoma de México",
		"caltech": "California Institute of Technology", "lse": "London School of Economics and Political Science", "hsg": "Universität St. Gallen", "мгу": "Московский государственный университет",
		// accents, case, other spellings
		"universitat zurich": "Universität Zürich", "UNIVERSITÄT ZÜRICH": "Universität Zürich", "zuerich eth": "ETH Zürich", "koeln": "Universität zu Köln", "lodz": "Uniwersytet Łódzki",
		"kobenhavn": "Københavns Universitet", "koebenhavns": "Københavns Universitet", "goteborg": "Göteborgs universitet", "ecole normale": "École normale supérieure",
		"strassenbauamt": "Straßenbauamt Fürth", "ile de france": "Île-de-France Mobilités", "kings college": "King's College London", "King’s": "King's College London",
		"aquila": "Università degli Studi dell'Aquila", "istanbul": "İstanbul Teknik Üniversitesi", "st gallen": "Universität St. Gallen", "St.Gallen": "Universität St. Gallen",
		// scripts
		"московский": "Московский государственный университет", "πολυτεχνειο": "Εθνικό Μετσόβιο Πολυτεχνείο", "東京": "東京大学", "京都大": "京都大学", "서울": "서울대학교", "الاردنيه": "الجامعة الأردنية",
		"העברית": "האוניברסיטה העברית בירושלים", "มหาวิทยาลัย": "จุฬาลงกรณ์มหาวิทยาลัย", "ＥＴＨ": "ETH Zürich",
		// while typing, words in any order, little words missing or added
		"univ oxf": "University of Oxford", "oxford university": "University of Oxford", "university cambridge": "University of Cambridge", "the university of oxford": "University of Oxford",
		"berkeley": "University of California, Berkeley", "hmart head": "HMart Head Office", "head office hmart": "HMart Head Office", "foreign aff": "Ministry of Foreign Affairs",
		// one typo: wrong, missing, too many, swapped; at the start; in a beginning
		"oxfird": "University of Oxford", "univrsity of oxford": "University of Oxford", "berkelley": "University of California, Berkeley", "cambrigde": "University of Cambridge",
		"zambridge": "University of Cambridge", "massachusets institute": "Massachusetts Institute of Technology", "californa los ang": "University of California, Los Angeles", "maximilins": "Ludwig-Maximilians-Universität München",
		"hmrat western": "HMart Western Region", "московскйи": "Московский государственный университет",
		// domains and addresses
		"ucla.edu": "University of California, Los Angeles", "mednet.ucla.edu": "University of California, Los Angeles", "uzh.ch": "Universität Zürich", "jo@lmu.de": "Ludwig-Maximilians-Universität München",
		"@hq.hmart.example": "HMart Head Office", "Jo.Public@ETHZ.CH": "ETH Zürich", "jo@u-tok": "東京大学", "caltech.edu": "California Institute of Technology",
		// one word more than the name has
		"university of oxford britain": "University of Oxford",
		// in another language
		"university of munich": "Ludwig-Maximilians-Universität München", "Seoul National": "서울대학교", "university of tokyo": "東京大学",
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			r := x.Rank(Query{Text: typed})
			if len(r.Results) == 0 || r.Results[0].Name != want {
				t.Errorf("first of %d hits for %q: %v, want %s", r.Total, typed, names(r.Results), want)
			}
		})
	}
}

func names(list []Office) (n []string) {
	for i, o := range list {
		if i == 5 {
			break
		}
		n = append(n, o.Name)
	}
	return n
}
