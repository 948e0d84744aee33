package report

// words are the texts of a report in one language.
type words struct {
	title, continued, page, made, notYet, none, yes, no string

	preliminary, preliminaryNote            string
	resultTitle, number, id, tracking, time string

	process, company, channel, agent, reviewer, requested, taken, ended, reviewed, previous, reason string
	identChanges, reviewChanges                                                                     string

	person, field, value, status, original, byAgent, review, redacted, removed, changesNote string
	document, classes, contact, email, phone, custom, questions, question, answer           string
	signing, signingResult                                                                  string

	checks, check, outcome, score, by, second, passed, failed string
	pictures, takenAt, unreadable                             string
	files, fileName, size, bytes, filesNote, lost             string

	dateTime string            // layout of a time in UTC
	results  map[string]string // by the code of the specification
	statuses map[string]string
	fields   map[string]string
	names    map[string]string // of checks and pictures; security stands for all numbered ones
	channels map[string]string
}

// in returns the texts of a language: German for de, English for all others.
func in(language string) (*words, string) {
	if language == "de" {
		return &german, "de"
	}
	return &english, "en"
}

var german = words{
	title: "Protokoll der Identifizierung", continued: "Fortsetzung", page: "Seite %d von %d", made: "Erstellt am %s", notYet: "noch nicht erfolgt", none: "keine Angaben", yes: "ja", no: "nein",
	preliminary: "VORLÄUFIGES ERGEBNIS", preliminaryNote: "Die Prüfung durch eine zweite Person steht noch aus. Das Ergebnis kann sich ändern.",
	resultTitle: "Ergebnis", number: "Transaktionsnummer", id: "Ident-ID", tracking: "Tracking-ID", time: "Zeitpunkt der Identifizierung",
	process: "Vorgang", company: "Auftraggeber", channel: "Zugang", agent: "Identifiziert durch", reviewer: "Geprüft durch", requested: "Angefragt", taken: "Begonnen", ended: "Beendet", reviewed: "Geprüft",
	previous: "Vorheriges Ergebnis", reason: "Grund", identChanges: "Vom Identifizierenden geändert", reviewChanges: "Vom Prüfenden geändert",
	person: "Person", field: "Feld", value: "Festgestellter Wert", status: "Abgleich", original: "Übermittelt", byAgent: "Wert vor der Prüfung", review: "Prüfung",
	redacted: "[geschwärzt]", removed: "[entfernt]", changesNote: "Zeilen mit der Marke ▲ weichen von den zuvor vorhandenen Angaben ab.",
	document: "Ausweisdokument", classes: "Führerscheinklassen", contact: "Kontakt", email: "E-Mail", phone: "Mobiltelefon", custom: "Angaben des Auftraggebers",
	questions: "Zusatzfragen", question: "Frage", answer: "Antwort", signing: "Elektronische Signatur", signingResult: "Ergebnis der Signatur",
	checks: "Prüfschritte", check: "Prüfschritt", outcome: "Ergebnis", score: "Wert", by: "Durch", second: "Aufnahme", passed: "bestanden", failed: "▲ nicht bestanden",
	pictures: "Bilder", takenAt: "Aufgenommen am %s", unreadable: "Das Bild lässt sich nicht darstellen.",
	files: "Dateien", fileName: "Datei", size: "Größe", bytes: "Byte", filesNote: "Mit der Prüfsumme (SHA-256) lässt sich nachweisen, dass eine Datei unverändert ist.",
	lost:     "Das Zeichen � steht für ein Schriftzeichen, das die Schrift dieses Dokuments nicht enthält. Den genauen Wortlaut enthalten die XML- und die JSON-Datei.",
	dateTime: "02.01.2006, 15:04:05 UTC",
	results: map[string]string{
		"SUCCESS": "Erfolgreich identifiziert", "SUCCESS_DATA_CHANGED": "Erfolgreich identifiziert, Daten geändert",
		"REVIEW_PENDING": "Identifiziert, Prüfung steht aus", "FRAUD_SUSPICION_PENDING": "Betrugsverdacht, Prüfung steht aus",
		"FRAUD_SUSPICION_CONFIRMED": "Betrugsverdacht bestätigt", "ABORTED": "Abgebrochen, nicht identifiziert", "CANCELED": "Nicht identifiziert, Prüfung nicht bestanden", "": "Kein Ergebnis",
	},
	statuses: map[string]string{"MATCH": "bestätigt", "CHANGE": "▲ GEÄNDERT", "NEW": "neu", "ORIGINAL": "wie übermittelt", "REDACTION": "geschwärzt"},
	fields: map[string]string{
		"title": "Titel", "firstname": "Vorname", "lastname": "Nachname", "birthname": "Geburtsname", "gender": "Geschlecht", "birthday": "Geburtsdatum", "birthplace": "Geburtsort",
		"nationality": "Nationalität", "street": "Straße", "streetnumber": "Hausnummer", "zipcode": "Postleitzahl", "city": "Ort", "country": "Land",
		"type": "Art", "docnumber": "Nummer", "doccountry": "Ausstellerstaat", "issuedby": "Ausgestellt von", "dateissued": "Ausgestellt am", "validuntil": "Gültig bis",
	},
	names: map[string]string{
		"document_genuine": "Echtheit des Dokuments", "face_matches": "Person entspricht dem Lichtbild", "person_present": "Person ist anwesend und handelt frei",
		"idfrontside": "Ausweis, Vorderseite", "idbackside": "Ausweis, Rückseite", "userface": "Gesicht der Person", "security": "Sicherheitsmerkmal", "security_covered": "Verdecktes Sicherheitsmerkmal",
		"idholograms": "Hologramme", "livenessleft": "Lebenderkennung, links", "livenessright": "Lebenderkennung, rechts",
	},
	channels: map[string]string{"WEB": "Browser (WEB)", "APP": "App (APP)"},
}

var english = words{
	title: "Identification report", continued: "continued", page: "Page %d of %d", made: "Made on %s", notYet: "not yet", none: "no data", yes: "yes", no: "no",
	preliminary: "PRELIMINARY RESULT", preliminaryNote: "The review by a second person has not taken place yet. The result may change.",
	resultTitle: "Result", number: "Transaction number", id: "Ident-ID", tracking: "Tracking ID", time: "Time of the identification",
	process: "Process", company: "Company", channel: "Channel", agent: "Identified by", reviewer: "Reviewed by", requested: "Requested", taken: "Begun", ended: "Ended", reviewed: "Reviewed",
	previous: "Previous result", reason: "Reason", identChanges: "Changed when identified", reviewChanges: "Changed when reviewed",
	person: "Person", field: "Field", value: "Identified value", status: "Comparison", original: "As sent", byAgent: "Value before the review", review: "Review",
	redacted: "[redacted]", removed: "[removed]", changesNote: "Rows marked ▲ differ from what was known before.",
	document: "Identity document", classes: "Driving licence classes", contact: "Contact", email: "E-mail", phone: "Mobile phone", custom: "Data of the company",
	questions: "Additional questions", question: "Question", answer: "Answer", signing: "Electronic signature", signingResult: "Result of the signature",
	checks: "Checks", check: "Check", outcome: "Outcome", score: "Score", by: "By", second: "Recording", passed: "passed", failed: "▲ not passed",
	pictures: "Pictures", takenAt: "Taken on %s", unreadable: "The picture cannot be shown.",
	files: "Files", fileName: "File", size: "Size", bytes: "bytes", filesNote: "The checksum (SHA-256) shows whether a file is unchanged.",
	lost:     "The sign � stands for a character that the font of this document does not have. The XML and the JSON file hold the exact text.",
	dateTime: "2 January 2006, 15:04:05 UTC",
	results: map[string]string{
		"SUCCESS": "Successfully identified", "SUCCESS_DATA_CHANGED": "Successfully identified, data changed",
		"REVIEW_PENDING": "Identified, review pending", "FRAUD_SUSPICION_PENDING": "Suspicion of fraud, review pending",
		"FRAUD_SUSPICION_CONFIRMED": "Suspicion of fraud confirmed", "ABORTED": "Aborted, not identified", "CANCELED": "Not identified, review not passed", "": "No result",
	},
	statuses: map[string]string{"MATCH": "confirmed", "CHANGE": "▲ CHANGED", "NEW": "new", "ORIGINAL": "as sent", "REDACTION": "redacted"},
	fields: map[string]string{
		"title": "Title", "firstname": "First name", "lastname": "Last name", "birthname": "Birth name", "gender": "Gender", "birthday": "Date of birth", "birthplace": "Place of birth",
		"nationality": "Nationality", "street": "Street", "streetnumber": "House number", "zipcode": "Postcode", "city": "City", "country": "Country",
		"type": "Type", "docnumber": "Number", "doccountry": "Issuing country", "issuedby": "Issued by", "dateissued": "Date of issue", "validuntil": "Valid until",
	},
	names: map[string]string{
		"document_genuine": "Document is genuine", "face_matches": "Person matches the photograph", "person_present": "Person is present and acts freely",
		"idfrontside": "Document, front", "idbackside": "Document, back", "userface": "Face of the person", "security": "Security feature", "security_covered": "Covered security feature",
		"idholograms": "Holograms", "livenessleft": "Liveness, left", "livenessright": "Liveness, right",
	},
	channels: map[string]string{"WEB": "Browser (WEB)", "APP": "App (APP)"},
}
