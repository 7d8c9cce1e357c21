package audit

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

func atNoon() time.Time { return noon }

// full is an event with every field set.
func full() *Event {
	return &Event{
		Time: noon, ID: "c0ffee", Event: EventIssued, Grant: "token-exchange", Client: "warehouse-portal",
		Trust: "head-office", Issuer: "https://idp.hq.hmart.example", Subject: "bm9ib2R5",
		Rules: []string{"head-office.grant[1]"}, Audiences: []string{"https://warehouse.west.hmart.example"},
		Requested: []string{"stock.read", "stock.order"}, Granted: []string{"stock.read"},
		Reason: "scope_empty", Detail: "rule grants stock.read only",
		SubjectSHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		IssuedSHA256:  "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
		IssuedID:      "01J", Expires: noon.Add(10 * time.Minute), Remote: "192.0.2.7", Dropped: 3,
	}
}
