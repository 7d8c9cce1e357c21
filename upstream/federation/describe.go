package federation

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// Limits of what is kept of a description, so that no member fills the memory of all.
const (
	maxWords     = 32  // names in other languages and keywords
	maxWord      = 200 // bytes of a name or a keyword
	maxScopes    = 64
	maxValues    = 64 // of entity attributes, all told
	maxValue     = 512
	maxLogo      = 1024
	preferredPix = 80 // height of a logo that is fetched for the picker
)

// describe reads what people find a member by, and what rules say of it.
func (r *reader) describe(e, role *xmlsec.Element, m *trust.Member) {
	r.names(e, role, m)
	m.Logo = r.logo(role)
	m.Scopes = scopes(e, role)
	for info := range below(e, md("Extensions"), xmlsec.Name{Space: spaceRPI, Local: "RegistrationInfo"}) {
		authority, _ := info.Attr("registrationAuthority")
		m.Authority = strings.Clone(cut(authority, maxValue))
	}
	m.Attributes = attributes(e)
	m.Hidden = slices.Contains(m.Attributes[trust.CategoryAttribute], hideCategory)
}

// named is a text in a language.
type named struct{ language, text string }

// names chooses the name that is shown: in our language, in English, or the first; the others are words to find it by. Of mdui:DisplayName and the
// organisation's two names the first kind that is there counts.
func (r *reader) names(e, role *xmlsec.Element, m *trust.Member) {
	ui := func(local string) []xmlsec.Name {
		return []xmlsec.Name{md("Extensions"), {Space: spaceUI, Local: "UIInfo"}, {Space: spaceUI, Local: local}}
	}
	names := texts(role, ui("DisplayName")...)
	for _, local := range []string{"OrganizationDisplayName", "OrganizationName"} {
		if len(names) == 0 {
			names = texts(e, md("Organization"), md(local))
		}
	}
	best := ""
	for _, want := range []string{r.language, "en"} {
		at := slices.IndexFunc(names, func(n named) bool { return primary(n.language) == want })
		if best == "" && at >= 0 {
			best = names[at].text
		}
	}
	if best == "" && len(names) > 0 {
		best = names[0].text
	}
	m.Name = cmp.Or(best, host(m.EntityID), m.EntityID)
	keep := func(word string) {
		if len(m.Keywords) < maxWords && word != "" && word != m.Name && !slices.Contains(m.Keywords, word) {
			m.Keywords = append(m.Keywords, word)
		}
	}
	for _, n := range names {
		keep(n.text)
	}
	for _, list := range texts(role, ui("Keywords")...) {
		for word := range strings.FieldsSeq(list.text) {
			keep(strings.ReplaceAll(word, "+", " ")) // MDUI §2.1.4
		}
	}
}

// texts reads elements with xml:lang, without the white space around them.
func texts(e *xmlsec.Element, way ...xmlsec.Name) (list []named) {
	for c := range below(e, way...) {
		language, _ := c.AttrNS(xmlsec.Name{Space: spaceXML, Local: "lang"})
		text, _ := c.Text()
		if text = strings.Join(strings.Fields(cut(text, 4*maxWord)), " "); text != "" && len(list) < maxWords {
			list = append(list, named{language, cut(text, maxWord)})
		}
	}
	return list
}

// primary is the first part of a language tag: en of en-GB.
func primary(tag string) string {
	tag, _, _ = strings.Cut(tag, "-")
	return strings.ToLower(tag)
}

// logo is the https one whose height is nearest to what the picker shows. Images inside the metadata (data:) are not kept.
func (r *reader) logo(role *xmlsec.Element) (best string) {
	distance := 1 << 30
	for c := range below(role, md("Extensions"), xmlsec.Name{Space: spaceUI, Local: "UIInfo"}, xmlsec.Name{Space: spaceUI, Local: "Logo"}) {
		at, _ := c.Text()
		at = strings.TrimSpace(at)
		height, _ := c.Attr("height")
		pixels, _ := strconv.Atoi(height)
		d := max(pixels-preferredPix, preferredPix-pixels)
		if len(at) <= maxLogo && d < distance && r.place(at) {
			best, distance = at, d
		}
	}
	return strings.Clone(best)
}

// scopes are shibmd:Scope of the entity and of its role. One that is an expression is not: whoever writes those means several domains, and each
// can be written.
func scopes(e, role *xmlsec.Element) (list []string) {
	for _, at := range []*xmlsec.Element{e, role} {
		for c := range below(at, md("Extensions"), xmlsec.Name{Space: spaceShib, Local: "Scope"}) {
			if expression, _ := c.Attr("regexp"); expression == "true" || expression == "1" {
				continue
			}
			text, _ := c.Text()
			scope := strings.ToLower(strings.TrimSpace(text))
			if scope != "" && len(scope) <= 253 && len(list) < maxScopes && !slices.Contains(list, scope) {
				list = append(list, strings.Clone(scope))
			}
		}
	}
	return list
}

// attributes are the entity attributes, entity categories among them. What an assertion inside the metadata says of the entity is not read.
func attributes(e *xmlsec.Element) map[string][]string {
	var out map[string][]string
	count := 0
	for a := range below(e, md("Extensions"), xmlsec.Name{Space: spaceAttr, Local: "EntityAttributes"}, xmlsec.Name{Space: spaceSAML, Local: "Attribute"}) {
		name, _ := a.Attr("Name")
		for v := range below(a, xmlsec.Name{Space: spaceSAML, Local: "AttributeValue"}) {
			text, ok := v.Text()
			text = strings.TrimSpace(text)
			if !ok || text == "" || name == "" || len(text) > maxValue || len(name) > maxValue || count == maxValues {
				continue
			}
			count++
			if out == nil {
				out = map[string][]string{}
			}
			out[strings.Clone(name)] = append(out[name], strings.Clone(text))
		}
	}
	return out
}

func host(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// cut shortens a text to at most so many bytes, between characters, and copies it.
func cut(s string, most int) string {
	if len(s) <= most {
		return strings.Clone(s)
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.Clone(s[:most])
}
