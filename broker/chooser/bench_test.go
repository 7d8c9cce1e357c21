package chooser

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// typing is what people type into a picker, a keystroke at a time, and the worst that strangers do.
func typing() (list []string) {
	for _, text := range []string{"university of california los angeles", "univrsity of oxfird", "zuerich", "東京大学", "jo@ucla.edu", "hmart head office", "e", "institute technology regional office medical school"} {
		runes := []rune(text)
		for i := 1; i <= len(runes); i++ {
			list = append(list, string(runes[:i]))
		}
	}
	return append(list, "", "qqqq wwww eeee rrrr tttt yyyy uuuu iiii", "a e i o u n r s")
}

// BenchmarkRank prints the mean and the slowest hundredth of a ranking among 8,000 offices.
func BenchmarkRank(b *testing.B) {
	offices := manyOffices(8000)
	x := NewIndex(offices)
	ids := make([]string, len(offices))
	for i, o := range offices {
		ids[i] = o.ID
	}
	for name, allowed := range map[string][]string{"all": nil, "8,000 listed": ids} {
		b.Run(name, func(b *testing.B) {
			texts := typing()
			var times []time.Duration
			for i := 0; b.Loop(); i++ {
				from := time.Now()
				x.Rank(Query{Text: texts[i%len(texts)], Allowed: allowed})
				times = append(times, time.Since(from))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "max-ms")
		})
	}
}

func BenchmarkNewIndex(b *testing.B) {
	offices := manyOffices(8000)
	b.ReportAllocs()
	for b.Loop() {
		NewIndex(offices)
	}
}

// BenchmarkPage renders the picker with one page of results, and the part of it that a keystroke asks for.
func BenchmarkPage(b *testing.B) {
	p := newPages(b)
	x := NewIndex(manyOffices(8000))
	v := view(x.Rank(Query{Text: "university"}))
	v.Text = "university"
	r := httptest.NewRequest(http.MethodGet, "/login?r=x&q=university", nil)
	r.Header.Set("Accept-Language", "de-CH, de;q=0.9, en;q=0.8")
	for name, write := range map[string]func(http.ResponseWriter, *http.Request, View){"whole": p.Write, "fragment": p.Fragment} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				w := httptest.NewRecorder()
				write(w, r, v)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
