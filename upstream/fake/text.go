package fake

import (
	"html"
	"regexp"
	"strings"
)

var (
	titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	unseen   = regexp.MustCompile(`(?is)<(head|title|script|style|template)\b.*?</(head|title|script|style|template)>|<!--.*?-->`)
	breaks   = regexp.MustCompile(`(?i)</(p|h[1-6]|li|tr|div|section|form|header|footer|main|ul|table)>|<br\s*/?>`)
	apart    = regexp.MustCompile(`(?i)</(td|th|button|a|option|label)>`)
	anyTag   = regexp.MustCompile(`(?s)<[^>]*>`)
	spaces   = regexp.MustCompile(`[ \t\r\n]+`)
)

// Title is what the tab shows.
func (pg *Page) Title() string {
	m := titleTag.FindStringSubmatch(pg.Body)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(html.UnescapeString(m[1]))
}

// Text is what a person reads, one line a paragraph.
func (pg *Page) Text() string {
	text := breaks.ReplaceAllString(spaces.ReplaceAllString(unseen.ReplaceAllString(pg.Body, ""), " "), "\n")
	text = anyTag.ReplaceAllString(apart.ReplaceAllString(text, " "), "")
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(line), " ")); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
