package xmlsec

import (
	"errors"
	"strings"
	"testing"
)

// Both sides of each rule: what is read, with its canonical form, and what is refused.
func TestParseReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, document, canonical string }{
		{"an empty element", `<a/>`, `<a></a>`},
		{"a declaration", `<?xml version="1.0"?><a/>`, `<a></a>`},
		{"a declaration with everything", "<?xml version='1.0' encoding='utf-8' standalone='no' ?>\n<a/>\n", `<a></a>`},
		{"a byte order mark", "\uFEFF<a/>", `<a></a>`},
		{"comments around the root", "<!-- a --><a/><!-- b -->\n", `<a></a>`},
		{"a comment among elements", "<a> <!-- - x --> <b/><!----></a>", `<a>  <b></b></a>`},
		{"white space in tags", "<a\n b = '1'\tc=\"2\" ></a >", `<a b="1" c="2"></a>`},
		{"the five entities", `<a b="&lt;&gt;&amp;&quot;&apos;">&lt;&gt;&amp;&quot;&apos;</a>`, `<a b="&lt;>&amp;&quot;'">&lt;&gt;&amp;"'</a>`},
		{"character references", `<a b="&#10;&#x41;">&#13;&#x1F600;&#9;</a>`, `<a b="&#xA;A">&#xD;😀` + "\t</a>"},
		{"line ends in text", "<a>1\r\n2\r3\n4\r\r\n5</a>", "<a>1\n2\n3\n4\n\n5</a>"},
		{"line ends in values", "<a b='1\r\n2\r3\n4\t5'/>", `<a b="1 2 3 4 5"></a>`},
		{"the other quote in a value", `<a b='"' c="'"/>`, `<a b="&quot;" c="'"></a>`},
		{"> in text and values", `<a b=">">></a>`, `<a b=">">&gt;</a>`},
		{"letters of any script in text", `<a b="ä">日本 🙂 ]] > ]]&gt;</a>`, `<a b="ä">日本 🙂 ]] &gt; ]]&gt;</a>`},
		{"a name with every character", `<_A-b.9 x-1.y_=""/>`, `<_A-b.9 x-1.y_=""></_A-b.9>`},
		{"a prefix", `<p:a xmlns:p="urn:p" p:b="1"/>`, `<p:a xmlns:p="urn:p" p:b="1"></p:a>`},
		{"a declaration after its use", `<p:a p:b="1" xmlns:p="urn:p"/>`, `<p:a xmlns:p="urn:p" p:b="1"></p:a>`},
		{"a default namespace bound anew", `<a xmlns="urn:1"><b xmlns="urn:2"/><c xmlns=""/></a>`, `<a xmlns="urn:1"><b xmlns="urn:2"></b><c xmlns=""></c></a>`},
		{"a prefix bound again to the same", `<p:a xmlns:p="urn:p"><p:b xmlns:p="urn:p"/></p:a>`, `<p:a xmlns:p="urn:p"><p:b></p:b></p:a>`},
		{"a prefix bound anew beside, not inside", `<a><p:b xmlns:p="urn:1"/><p:b xmlns:p="urn:2"/></a>`, `<a><p:b xmlns:p="urn:1"></p:b><p:b xmlns:p="urn:2"></p:b></a>`},
		{"two prefixes for one namespace", `<p:a xmlns:p="urn:p" xmlns:q="urn:p"><q:a/></p:a>`, `<p:a xmlns:p="urn:p"><q:a xmlns:q="urn:p"></q:a></p:a>`},
		{"xml:lang", `<a xml:lang="en"/>`, `<a xml:lang="en"></a>`},
		{"one local name in two namespaces", `<a xmlns:p="urn:p" b="1" p:b="2"/>`, `<a xmlns:p="urn:p" b="1" p:b="2"></a>`},
		{"IDs that differ", `<a ID="1"><b Id="2"/><c id="3"/></a>`, `<a ID="1"><b Id="2"></b><c id="3"></c></a>`},
		{"as many levels as may be", strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth), strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := string(read(t, c.document).Canonical()); got != c.canonical {
				t.Errorf("got  %q\nwant %q", got, c.canonical)
			}
		})
	}
}

// refusal is a document that must be refused. Its twin, without the attack, stands in TestParseReads or beside it.
type refusal struct {
	name, document string
	want           Fault // ErrMalformed if empty
	twin           string
}

func refuse(t *testing.T, refusals []refusal) {
	t.Helper()
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.want == "" {
				c.want = ErrMalformed
			}
			if _, err := Parse([]byte(c.document)); !errors.Is(err, c.want) {
				t.Errorf("%.200s: got %v, want %v", c.document, err, c.want)
			}
			if c.twin != "" {
				read(t, c.twin)
			}
		})
	}
}

func TestParseRefusesWhatIsNotWellFormed(t *testing.T) {
	t.Parallel()
	var cases []refusal
	for _, document := range []string{
		"", " ", "a", "<", "<a", "<a>", "<a></b>", "<a></a", "</a>", "<a/><b/>", "<a/>b", "b<a/>", "<a></a b=''>", "<a/ >", "< a/>",
		"<a b/>", "<a b=/>", "<a b=1/>", "<a b='1/>", "<a b='1\"/>", "<a b='1'c='2'/>", "<a b='<'/>", "<a b='1' / >",
		"<1a/>", "<a 1='1'/>", "<-a/>", "<ä/>", "<a ä=''/>", "<a><!-- -- --></a>", "<a><!-- </a>", "<a><!-- ---></a>", "<a><!- x --></a>",
		"<a>]]></a>", "<a>&</a>", "<a>&;</a>", "<a>&lt</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#X41;</a>", "<a>&#-1;</a>", "<a>&#+65;</a>", "<a>& lt;</a>",
		"<a>&#0;</a>", "<a>&#x1F;</a>", "<a>&#xD800;</a>", "<a>&#xFFFE;</a>", "<a>&#x110000;</a>", "<a>&#99999999999999;</a>", "<a>&#00000000000065;</a>",
		"<a>\x00</a>", "<a>\x1B</a>", "<a b='\x01'/>", "<a><!--\x01--></a>", "<a>\xFF</a>", "<a>\xC0\xAF</a>", "<a>\xED\xA0\x80</a>", "<a>\uFFFE</a>", "<a b='\uFFFF'/>",
		"\uFEFF\uFEFF<a/>", "<\x00a/>", "<a/>&#xD;", "<a/><!-- -->&#32;", "&#9;<a/>", `<?xml version="1.0"?>&#10;<a/>`,
		`<?xml version="1.1"?><a/>`, `<?xml?><a/>`, ` <?xml version="1.0"?><a/>`, `<?xml version="1.0" encoding="UTF-16"?><a/>`,
		`<?xml encoding="UTF-8"?><a/>`, `<?xml version="1.0" x="1"?><a/>`, `<?xml version="1.0"><a/>`, "<?xml\nversion='1.0'?><a/>",
	} {
		cases = append(cases, refusal{name: document, document: document})
	}
	refuse(t, cases)
}

func TestA11_IDsAreUnique(t *testing.T) {
	t.Parallel()
	refuse(t, []refusal{
		{name: "on two elements", document: `<a ID="1"><b ID="1"/></a>`, twin: `<a ID="1"><b ID="2"/></a>`},
		{name: "in other case", document: `<a ID="1"><b Id="1"/></a>`},
		{name: "far apart", document: `<a><b ID="1"/><c><d id="1"/></c></a>`},
		{name: "written otherwise", document: `<a ID="1"><b ID="&#x31;"/></a>`},
		{name: "a prefixed one beside", document: `<a xmlns:x="urn:x" x:ID="1" ID="2"/>`, twin: `<a xmlns:x="urn:x" x:IDs="1" ID="2"/>`},
		{name: "a prefixed one alone", document: `<a xmlns:x="urn:x" x:ID="1"/>`},
		{name: "xml:id", document: `<a xml:id="1"/>`},
		{name: "two spellings on one element", document: `<a ID="1" Id="2"/>`},
		{name: "an empty one", document: `<a ID=""/>`},
	})
}

func TestA11_AttributesComeOnce(t *testing.T) {
	t.Parallel()
	refuse(t, []refusal{
		{name: "twice", document: `<a b="1" b="2"/>`, twin: `<a b="1" c="2"/>`},
		{name: "by two prefixes of one namespace", document: `<a xmlns:p="urn:p" xmlns:q="urn:p" p:b="1" q:b="2"/>`,
			twin: `<a xmlns:p="urn:p" xmlns:q="urn:q" p:b="1" q:b="2"/>`},
		{name: "a declaration twice", document: `<a xmlns:p="urn:p" xmlns:p="urn:p"/>`},
		{name: "a default declaration twice", document: `<a xmlns="urn:p" xmlns="urn:q"/>`},
	})
}

func TestA12_ACommentDoesNotCutText(t *testing.T) {
	t.Parallel()
	const full = `<a>admin@x.org.evil.org</a>`
	refuse(t, []refusal{
		{name: "inside", document: `<a>admin@x.org<!---->.evil.org</a>`, twin: full},
		{name: "in front", document: `<a><!-- x -->admin@x.org.evil.org</a>`, twin: full},
		{name: "behind", document: `<a>admin@x.org.evil.org<!-- x --></a>`, twin: full},
		{name: "after white space", document: `<a> <!-- x --> admin@x.org</a>`, twin: full},
		{name: "two of them", document: `<a><!-- x --><!-- y -->admin@x.org</a>`, twin: full},
		{name: "a processing instruction inside", document: `<a>admin@x.org<?x?>.evil.org</a>`, twin: full},
		{name: "CDATA inside", document: `<a>admin@x.org<![CDATA[.evil.org]]></a>`, twin: full},
	})
	if text, ok := read(t, full).Text(); text != "admin@x.org.evil.org" || !ok {
		t.Errorf("text is %q, %v", text, ok)
	}
	if text, ok := read(t, `<a>admin@x.org<b/>.evil.org</a>`).Text(); ok {
		t.Errorf("text before an element passes for the whole: %q", text)
	}
}

func TestA13_NamesThatReadersTakeDifferently(t *testing.T) {
	t.Parallel()
	const p = ` xmlns:x="urn:x" xmlns:y="urn:y"`
	refuse(t, []refusal{
		{name: "an empty prefix of an attribute", document: `<a` + p + ` :b="1"/>`, twin: `<a` + p + ` x:b="1"/>`},
		{name: "an empty prefix of an element", document: `<:a` + p + `/>`, twin: `<x:a` + p + `/>`},
		{name: "two colons together", document: `<x::y` + p + `/>`},
		{name: "two prefixes", document: `<x:y:z` + p + `/>`},
		{name: "two prefixes of an attribute", document: `<a` + p + ` x:y:z="1"/>`},
		{name: "an empty local part", document: `<x:` + p + `/>`},
		{name: "an empty declared prefix", document: `<a xmlns:="urn:x"/>`},
		{name: "an attribute xmlns with a prefix", document: `<a` + p + ` x:xmlns="urn:y"/>`, twin: `<a` + p + ` xmlns="urn:y"/>`},
		{name: "an element xmlns", document: `<xmlns/>`, twin: `<xmln/>`},
		{name: "a directive", document: `<!x><a/>`},
		{name: "a directive inside", document: `<a><!x></a>`},
		{name: "a processing instruction", document: `<?x y?><a/>`},
		{name: "a processing instruction at the end", document: `<a/><?x y?>`},
		{name: "CDATA", document: `<a><![CDATA[x]]></a>`},
		{name: "a null byte in a name", document: "<a\x00b/>"},
	})
}

func TestA14_NoDocumentType(t *testing.T) {
	t.Parallel()
	refuse(t, []refusal{
		{name: "a bare one", document: `<!DOCTYPE a><a/>`, twin: `<a/>`},
		{name: "in lower case", document: `<!doctype a><a/>`},
		{name: "after the declaration", document: `<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>`, twin: `<?xml version="1.0"?><a/>`},
		{name: "an internal subset", document: `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`},
		{name: "a billion laughs", document: `<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;"><!ENTITY z "&y;&y;">]><a>&z;</a>`},
		{name: "a parameter entity", document: `<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>`},
		{name: "an attribute default", document: `<!DOCTYPE a [<!ATTLIST a ID CDATA "x">]><a/>`},
		{name: "inside the root", document: `<a><!DOCTYPE a></a>`},
		{name: "an entity without any", document: `<a>&x;</a>`},
		{name: "an entity of HTML", document: `<a b="&nbsp;"/>`},
	})
}

func TestA15_NamespacesMeanOneThing(t *testing.T) {
	t.Parallel()
	refuse(t, []refusal{
		{name: "a prefix that is not declared", document: `<p:a/>`, twin: `<p:a xmlns:p="urn:p"/>`},
		{name: "a prefix that is declared beside", document: `<a><b xmlns:p="urn:p"/><p:c/></a>`, twin: `<a xmlns:p="urn:p"><b/><p:c/></a>`},
		{name: "an attribute's prefix that is not declared", document: `<a p:b=""/>`},
		{name: "a prefix bound anew", document: `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"/></p:a>`, twin: `<p:a xmlns:p="urn:1"><p:b/></p:a>`},
		{name: "xml bound", document: `<a xmlns:xml="urn:x"/>`},
		{name: "xml bound to its own", document: `<a xmlns:xml="` + spaceXML + `"/>`},
		{name: "xmlns bound", document: `<a xmlns:xmlns="urn:x"/>`},
		{name: "another prefix for xml", document: `<a xmlns:p="` + spaceXML + `"/>`},
		{name: "another prefix for xmlns", document: `<a xmlns:p="` + spaceXMLNS + `"/>`},
		{name: "the default for xml", document: `<a xmlns="` + spaceXML + `"/>`},
		{name: "an element in xmlns", document: `<xmlns:a/>`},
		{name: "a prefix bound to nothing", document: `<p:a xmlns:p="urn:1"><b xmlns:p=""/></p:a>`},
		{name: "a relative namespace", document: `<a xmlns="x"/>`, twin: `<a xmlns="urn:x"/>`},
		{name: "a relative namespace with a path", document: `<a xmlns="/x:y"/>`},
		{name: "white space in a namespace", document: `<a xmlns="urn:x "/>`},
		{name: "a line end in a namespace", document: `<a xmlns="urn:&#10;x"/>`},
		{name: "an ampersand in a namespace, which libxml2 writes bare", document: `<a xmlns="urn:x?a&amp;b"/>`, twin: `<a xmlns="urn:x?a;b"/>`},
		{name: "letters beyond ASCII in a namespace", document: `<a xmlns="urn:ä"/>`},
	})
	e := read(t, `<Assertion xmlns="urn:evil" xmlns:saml="`+spaceSAML+`"/>`)
	if e.Is(Name{spaceSAML, "Assertion"}) || !e.Is(Name{"urn:evil", "Assertion"}) {
		t.Error("a local name alone passes for the element of another namespace")
	}
}

func TestA28_LimitsHoldBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	many := func(n int, one string) string { return "<a>" + strings.Repeat(one, n) + "</a>" }
	bindings := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(` xmlns:p` + strings.Repeat("x", i) + `="urn:p"`)
		}
		return b.String()
	}
	attributes := func(n int) string {
		return strings.ReplaceAll(strings.ReplaceAll(bindings(n), "xmlns:", ""), "urn:p", "")
	}
	ids := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`<b ID="i` + strings.Repeat("x", i) + `"/>`)
		}
		return "<a>" + b.String() + "</a>"
	}
	refuse(t, []refusal{
		{name: "bytes", document: many(1, strings.Repeat(" ", MaxBytes)), want: ErrTooLarge, twin: many(1, strings.Repeat(" ", MaxBytes-10))},
		{name: "levels", document: strings.Repeat("<a>", maxDepth+1), want: ErrTooLarge},
		{name: "twenty thousand levels", document: strings.Repeat("<a>", 20_000), want: ErrTooLarge},
		{name: "elements", document: many(maxElements, "<b/>"), want: ErrTooLarge, twin: many(maxElements-1, "<b/>")},
		{name: "attributes", document: many(1_001, `<b x="" y="" z=""/>`), want: ErrTooLarge, twin: many(1_000, `<b x="" y="" z=""/>`)},
		{name: "attributes of one element", document: "<a" + attributes(maxPerElement+1) + "/>", want: ErrTooLarge, twin: "<a" + attributes(maxPerElement) + "/>"},
		{name: "declarations", document: many(1_001, `<b xmlns="urn:b" xmlns:x="urn:x" xmlns:y="urn:y"/>`), want: ErrTooLarge,
			twin: many(1_000, `<b xmlns="urn:b" xmlns:x="urn:x" xmlns:y="urn:y"/>`)},
		{name: "declarations in scope", document: "<a" + bindings(maxInScope) + "><b xmlns='urn:b'/></a>", want: ErrTooLarge,
			twin: "<a" + bindings(maxInScope-1) + "><b xmlns='urn:b'/><b xmlns='urn:b'/></a>"},
		{name: "IDs", document: ids(maxIDs + 1), want: ErrTooLarge, twin: ids(maxIDs)},
		{name: "a long name", document: "<" + strings.Repeat("a", maxName+1) + "/>", want: ErrTooLarge, twin: "<" + strings.Repeat("a", maxName) + "/>"},
		{name: "a long namespace", document: "<a xmlns='urn:" + strings.Repeat("a", maxSpace) + "'/>", want: ErrTooLarge},
	})
}
