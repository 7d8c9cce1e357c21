package main

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"

	"apostille/broker/bearer"
)

// demoNotice stands on every page of the demo's parties.
const demoNotice = "FAKE, for demonstrations only"

// maxOrder is how long an order may be, in bytes.
const maxOrder = 4 << 10

// newWarehouse is the demo's regional API: it accepts tokens of the broker only. GET /stock needs the scope stock.read,
// POST /orders needs stock.order.
func newWarehouse(guard *bearer.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /stock", guard.Require("stock.read")(http.HandlerFunc(serveStock)))
	mux.Handle("POST /orders", guard.Require("stock.order")(http.HandlerFunc(takeOrder)))
	mux.Handle("GET "+guard.MetadataPath(), guard.Metadata())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { serveWarehousePage(w, guard.MetadataPath()) })
	return mux
}

// caller is who the token was issued for, as the answers of the API repeat it.
type caller struct {
	Subject string `json:"sub"`
	Client  string `json:"client_id"`
	Trust   string `json:"idp"`
}

func callerOf(r *http.Request) caller {
	p, _ := bearer.From(r.Context()) // the guard stands in front: there is one
	return caller{Subject: p.Subject, Client: p.ClientID, Trust: p.Origin}
}

type stockItem struct {
	Item    string `json:"item"`
	Pallets int    `json:"pallets"`
}

func serveStock(w http.ResponseWriter, r *http.Request) {
	writeDemoJSON(w, http.StatusOK, map[string]any{
		"fake":   demoNotice,
		"caller": callerOf(r),
		"stock":  []stockItem{{"rice, 5 kg", 412}, {"kimchi, 1 kg", 96}, {"noodles, 24 pc", 233}},
	})
}

func takeOrder(w http.ResponseWriter, r *http.Request) {
	var order stockItem
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
	if err == nil {
		err = json.Unmarshal(body, &order)
	}
	if err != nil || order.Item == "" || order.Pallets <= 0 {
		writeDemoJSON(w, http.StatusBadRequest, map[string]any{"fake": demoNotice, "error": `want {"item": "…", "pallets": 1}`})
		return
	}
	writeDemoJSON(w, http.StatusCreated, map[string]any{"fake": demoNotice, "caller": callerOf(r), "ordered": order})
}

func writeDemoJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the caller has gone
}

var warehousePage = template.Must(template.New("warehouse").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Warehouse West ({{.Notice}})</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
.fake{border:2px solid;padding:.5rem 1rem;font-weight:600}</style>
<h1>Warehouse West</h1>
<p class="fake">{{.Notice}}. No pallet is real.</p>
<p>An API that accepts access tokens of the regional broker, and nothing else.</p>
<ul>
<li><code>GET /stock</code> needs the scope <code>stock.read</code>
<li><code>POST /orders</code> needs the scope <code>stock.order</code>
<li><a href="{{.Metadata}}"><code>{{.Metadata}}</code></a> says which broker that is
</ul>
`))

func serveWarehousePage(w http.ResponseWriter, metadata string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	// An error means that the caller has gone.
	_ = warehousePage.Execute(w, map[string]string{"Notice": demoNotice, "Metadata": metadata})
}
