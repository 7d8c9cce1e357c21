package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Names as federations have them, made of places and kinds.
var (
	officePlaces = strings.Fields("Aachen Aalborg Aberdeen Ankara Antwerp Athens Augsburg Austin Baltimore Barcelona Basel Bergen Bern Białystok Bilbao Birmingham " +
		"Bologna Bonn Bordeaux Boston Bratislava Bremen Brest Bristol Brno Brussels Bucharest Budapest Cádiz Calgary Canterbury Cardiff Chicago Coimbra Köln Córdoba " +
		"Cork Dallas Delft Denver Derby Dortmund Dresden Dublin Düsseldorf Edinburgh Erfurt Essex Évora Exeter Ferrara Florence Freiburg Galway Gdańsk Geneva Genoa " +
		"Ghent Glasgow Göteborg Granada Graz Grenoble Groningen Hamburg Hannover Helsinki Houston Hull Innsbruck Jena Kassel Katowice Kiel Kraków Lausanne Leeds " +
		"Leicester Leiden Leipzig Liège Lille Limerick Lincoln Linz Lisbon Liverpool Ljubljana Łódź Lublin Lund Lyon Maastricht Madrid Mainz Málaga Malmö Manchester " +
		"Marburg Marseille Milan Modena Montréal Münster Murcia Nantes Naples Nice Nijmegen Nottingham Odense Olomouc Orléans Oslo Ostrava Oulu Oviedo Padua Palermo " +
		"Parma Pavia Perugia Pisa Poitiers Porto Potsdam Poznań Québec Reims Rennes Rostock Rotterdam Rouen Salamanca Salzburg Seattle Sevilla Sheffield Siena Sofia " +
		"Stockholm Strasbourg Stuttgart Szeged Tallinn Tampere Tartu Toledo Toronto Toulouse Tours Trento Trier Tübingen Turin Turku Ulm Umeå Uppsala Utrecht Valencia " +
		"Vienna Vilnius Warsaw Warwick Wrocław Würzburg York Zagreb Zaragoza Zürich 東京 Москва Αθήνα")
	officeKinds = []string{"University of %s", "%s University of Applied Sciences", "%s Institute of Technology", "%s Medical School", "%s City Council",
		"%s Regional Office", "Port Authority of %s", "%s Conservatory of Music", "Hochschule %s", "Université de %s", "Universidad de %s", "Politecnico di %s",
		"%s Public Library", "%s General Hospital", "Museum of %s", "%s Chamber of Commerce", "Academy of Fine Arts %s", "%s Business School", "%s Botanical Garden",
		"Royal Observatory %s", "%s Water Board", "%s Transport Executive", "%s Data Centre", "%s School of Law", "%s Warehouse", "%s Distribution Centre",
		"Polytechnic of %s", "%s Veterinary Institute", "Klinikum %s", "%s Fire Service", "%s Housing Office", "%s Archives", "%s Film School", "Stadtwerke %s"}
)

// officeName is the name of one of many offices: 7,000 differ, and then they are numbered.
func officeName(n int) string {
	kind, place := officeKinds[n%len(officeKinds)], officePlaces[n/len(officeKinds)%len(officePlaces)]
	name := fmt.Sprintf(kind, place)
	if again := n / len(officeKinds) / len(officePlaces); again > 0 {
		name += fmt.Sprint(" ", again+1)
	}
	return name
}

// addOffices writes n offices whose people may sign in to client beside a configuration, a hundred to a file.
func addOffices(t testing.TB, config, client string, n int) {
	t.Helper()
	const perFile = 100
	for from := 0; from < n; from += perFile {
		var b bytes.Buffer
		for i := from; i < min(from+perFile, n); i++ {
			fmt.Fprintf(&b, "\n[trust.o%d]\nname = %q\nissuer = \"http://o%d.localhost:9\"\nkeys = { discovery = true }\n"+
				"[trust.o%d.login]\nprotocol = \"oidc\"\nclient_id = \"west\"\nauth = \"none\"\nemail_domains = [\"o%d.example\"]\n"+
				"[[trust.o%d.grant]]\nclients = [%q]\nsign_in = true\n", i, officeName(i), i, i, i, i, client)
		}
		writeFile(t, filepath.Join(filepath.Dir(config), "trust.d", fmt.Sprintf("offices%d.toml", from)), b.Bytes())
	}
}
