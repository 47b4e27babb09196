#include "server/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define BODY_MAX  (8 << 20)
#define TIMEOUT_S 30L

struct body {
	char *text;
	size_t length;
};

static size_t on_data(char *data, size_t size, size_t count, void *user)
{
	struct body *body = user;
	size_t length = size * count;

	if (body->length + length > BODY_MAX)
		return 0;
	body->text = xrealloc(body->text, body->length + length + 1);
	memcpy(body->text + body->length, data, length);
	body->length += length;
	body->text[body->length] = 0;
	return length;
}

static struct curl_slist *headers(const char *key)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	char line[256];

	if (key && str_format(line, sizeof(line), "Authorization: Bearer %s", key))
		list = curl_slist_append(list, line);
	return list;
}

static void set_up(CURL *curl, const struct http_request *request)
{
	char full[1024];

	str_format(full, sizeof(full), "%s%s", request->url, request->path);
	curl_easy_setopt(curl, CURLOPT_URL, full);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, request->timeout_s);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (request->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
	}
	if (request->json)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->json);
	if (request->method)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

enum status http_send(const struct http_request *request, struct http_reply *ret, struct err *err)
{
	struct body body = {xstrdup(""), 0};
	struct curl_slist *list = headers(request->key);
	CURL *curl = curl_easy_init();
	CURLcode code;

	set_up(curl, request);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->code);
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	if (code == CURLE_OK) {
		ret->body = body.text;
		return ST_OK;
	}
	free(body.text);
	return err_set(err, ST_UNAVAILABLE, "http.away", "url", "%s", curl_easy_strerror(code));
}

enum status http_ask(const char *url, const char *path, const char *key, const char *json,
		     struct http_reply *ret, struct err *err)
{
	struct http_request request = {
		.url = url, .path = path, .key = key, .json = json, .timeout_s = TIMEOUT_S};
	struct err why;

	if (http_send(&request, ret, &why) == ST_OK)
		return ST_OK;
	return err_set(err, ST_UNAVAILABLE, "gateway.away", "url",
		       "no gateway answers at %.80s (%s): is `calltab serve` running? say --url",
		       url, why.message);
}
