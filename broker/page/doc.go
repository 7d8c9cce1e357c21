// Package page renders what people see: one layout, one style sheet, one content security policy, messages in four languages.
//
// It owns the frame of each page, its headers, the choice of the language, the assets and the error page. What a page says
// belongs to the package that shows it: that package embeds a folder with templates, messages/{en,de,fr,es}.json and, if it
// needs any, assets, and hands it to New in Options.Messages. Strict-Transport-Security is the listener's, not a page's.
//
// A template file is the content of <main>. It may define "head" for a script: {{define "head"}}<script src="{{asset
// "name.js"}}" defer></script>{{end}}. Functions: {{T "key" args…}} a message, {{lang}} the language, {{base}} the issuer's
// path, {{asset "name"}} the address of an asset, {{contact}} whom to ask (Text and URL), {{brand}}, {{avatar name}} initials
// and colour, {{href url}} a link that is local or http(s) and "" otherwise. Nothing inline: the policy would not run it.
//
// The style sheet's words: h1 and .lead open a page; .card boxes a part, .stack spaces what is in it; .button (with .primary,
// .quiet, .danger, .wide) and .actions for a row of them; .field, .input, .check for forms; ul.list with li.row of .avatar,
// .grow (.name, .detail) and a trailing button for things one can act on; dl.facts for names and values; .tag; .notice (with
// .good, .bad) for what happened; .muted, .small, .reference for text; .visually-hidden for screen readers only.
package page
