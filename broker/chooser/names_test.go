package chooser

import (
	"fmt"
	"strings"
)

// real are offices as one finds them in federations, with what people type for them.
var real = []Office{
	{Name: "University of California, Los Angeles", Domains: []string{"ucla.edu", "mednet.ucla.edu"}},
	{Name: "University of California, Berkeley", Domains: []string{"berkeley.edu"}, Keywords: []string{"Cal"}},
	{Name: "University of California, San Diego", Domains: []string{"ucsd.edu"}},
	{Name: "Massachusetts Institute of Technology", Domains: []string{"mit.edu"}},
	{Name: "California Institute of Technology", Domains: []string{"caltech.edu"}, Keywords: []string{"Caltech"}},
	{Name: "University of Oxford", Domains: []string{"ox.ac.uk"}},
	{Name: "University of Cambridge", Domains: []string{"cam.ac.uk"}},
	{Name: "King's College London", Domains: []string{"kcl.ac.uk"}},
	{Name: "London School of Economics and Political Science", Domains: []string{"lse.ac.uk"}, Keywords: []string{"LSE"}},
	{Name: "Universität Zürich", Domains: []string{"uzh.ch"}, Keywords: []string{"UZH", "University of Zurich"}},
	{Name: "ETH Zürich", Domains: []string{"ethz.ch"}, Keywords: []string{"Eidgenössische Technische Hochschule"}},
	{Name: "Universität St. Gallen", Domains: []string{"unisg.ch"}, Keywords: []string{"HSG"}},
	{Name: "Ludwig-Maximilians-Universität München", Domains: []string{"lmu.de"}, Keywords: []string{"LMU", "University of Munich"}},
	{Name: "Technische Universität München", Domains: []string{"tum.de"}},
	{Name: "Universität zu Köln", Domains: []string{"uni-koeln.de"}},
	{Name: "Københavns Universitet", Domains: []string{"ku.dk"}, Keywords: []string{"University of Copenhagen"}},
	{Name: "Göteborgs universitet", Domains: []string{"gu.se"}},
	{Name: "Uniwersytet Łódzki", Domains: []string{"uni.lodz.pl"}},
	{Name: "Univerzita Karlova", Domains: []string{"cuni.cz"}, Keywords: []string{"Charles University"}},
	{Name: "Université Paris-Saclay", Domains: []string{"universite-paris-saclay.fr"}},
	{Name: "École normale supérieure", Domains: []string{"ens.psl.eu"}, Keywords: []string{"ENS"}},
	{Name: "Universidad Nacional Autónoma de México", Domains: []string{"unam.mx"}},
	{Name: "Università degli Studi dell'Aquila", Domains: []string{"univaq.it"}},
	{Name: "Московский государственный университет", Domains: []string{"msu.ru"}, Keywords: []string{"МГУ", "Moscow State University"}},
	{Name: "Εθνικό Μετσόβιο Πολυτεχνείο", Domains: []string{"ntua.gr"}, Keywords: []string{"NTUA"}},
	{Name: "東京大学", Domains: []string{"u-tokyo.ac.jp"}, Keywords: []string{"University of Tokyo"}},
	{Name: "京都大学", Domains: []string{"kyoto-u.ac.jp"}},
	{Name: "北京大学", Domains: []string{"pku.edu.cn"}, Keywords: []string{"Peking University"}},
	{Name: "서울대학교", Domains: []string{"snu.ac.kr"}, Keywords: []string{"Seoul National University"}},
	{Name: "الجامعة الأردنية", Domains: []string{"ju.edu.jo"}, Keywords: []string{"University of Jordan"}},
	{Name: "האוניברסיטה העברית בירושלים", Domains: []string{"huji.ac.il"}, Keywords: []string{"Hebrew University"}},
	{Name: "จุฬาลงกรณ์มหาวิทยาลัย", Domains: []string{"chula.ac.th"}},
	{Name: "HMart Head Office", Domains: []string{"hq.hmart.example"}},
	{Name: "HMart Western Region", Domains: []string{"west.hmart.example"}},
	{Name: "Île-de-France Mobilités", Domains: []string{"idfm.example"}},
	{Name: "Straßenbauamt Fürth", Domains: []string{"strassen-fuerth.example"}},
	{Name: "Ministry of Foreign Affairs", Domains: []string{"mfa.example"}},
	{Name: "İstanbul Teknik Üniversitesi", Domains: []string{"itu.edu.tr"}},
}

var (
	places = strings.Fields("Aachen Aalborg Aberdeen Ankara Antwerp Athens Augsburg Austin Baltimore Barcelona Basel Bergen Bern Białystok Bilbao Birmingham Bologna Bonn Bordeaux Boston Bratislava " +
		"Bremen Brest Bristol Brno Brussels Bucharest Budapest Cádiz Calgary Canterbury Cardiff Chicago Coimbra Cologne Córdoba Cork Dallas Delft Denver Derby Dortmund Dresden Dublin Düsseldorf " +
		"Edinburgh Erfurt Essex Évora Exeter Ferrara Florence Freiburg Galway Gdańsk Geneva Genoa Ghent Giessen Glasgow Granada Graz Grenoble Groningen Halle Hamburg Hannover Helsinki Houston Hull " +
		"Innsbruck Jena Kassel Katowice Kent Kiel Kraków Lausanne Leeds Leicester Leiden Leipzig Liège Lille Limerick Lincoln Linz Lisbon Liverpool Ljubljana Louvain Lublin Lund Lyon Maastricht " +
		"Madrid Mainz Málaga Malmö Manchester Mannheim Marburg Marseille Milan Minho Modena Montréal Münster Murcia Nantes Naples Newcastle Nice Nijmegen Nottingham Odense Olomouc Orléans Oslo " +
		"Ostrava Oulu Oviedo Padua Palermo Parma Pavia Perugia Pisa Poitiers Porto Potsdam Poznań Québec Reading Reims Rennes Rostock Rotterdam Rouen Salamanca Salzburg Seattle Sevilla Sheffield " +
		"Siegen Siena Sofia Southampton Stockholm Strasbourg Stuttgart Sussex Szeged Tallinn Tampere Tartu Toledo Toronto Toulouse Tours Trento Trier Trieste Tübingen Turin Turku Ulm Umeå Uppsala " +
		"Utrecht Valencia Valladolid Vienna Vilnius Warsaw Warwick Wrocław Würzburg York Zagreb Zaragoza")
	kinds = []string{"University of %s", "%s University of Applied Sciences", "%s Institute of Technology", "%s Medical School", "%s City Council", "%s Regional Office", "Port Authority of %s",
		"%s Conservatory of Music", "Hochschule %s", "Université de %s", "Universidad de %s", "Politecnico di %s", "%s Public Library", "%s General Hospital", "Museum of %s",
		"%s Chamber of Commerce", "Academy of Fine Arts %s", "%s Business School", "%s Botanical Garden", "Royal Observatory %s", "%s Water Board", "%s Transport Executive",
		"Institute for Advanced Study %s", "%s Data Centre", "%s School of Law", "%s Warehouse", "%s Distribution Centre", "Polytechnic of %s", "%s Teacher Training College", "%s Veterinary Institute",
		"Observatoire de %s", "Klinikum %s", "%s Fire Service", "%s Housing Office", "Nuclear Research Centre %s", "%s Archives", "Max Planck Institute %s", "%s Film School", "%s Theatre", "Stadtwerke %s"}
)

// manyOffices makes n offices: the real ones, and the rest out of places and kinds, always the same.
func manyOffices(n int) []Office {
	list := make([]Office, 0, n)
	for i, o := range real {
		o.ID = fmt.Sprintf("real-%d", i)
		o.Issuer = "https://idp." + o.Domains[0]
		list = append(list, o)
	}
	for k := 0; len(list) < n; k++ {
		kind, place := kinds[k%len(kinds)], places[k/len(kinds)%len(places)]
		name := fmt.Sprintf(kind, place)
		if k >= len(kinds)*len(places) {
			name += fmt.Sprintf(" %d", 1+k/(len(kinds)*len(places)))
		}
		domain := strings.ReplaceAll(fold(name), " ", "-") + ".example"
		list = append(list, Office{ID: fmt.Sprintf("t%d", k), Name: name, Issuer: "https://idp." + domain, Domains: []string{domain}})
	}
	return list[:n]
}
