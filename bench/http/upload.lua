-- wrk: a different questionnaire each time, with the API key that PRESCORE_BENCH_KEY has.
local threads = 0
local key = os.getenv("PRESCORE_BENCH_KEY")

function setup(thread)
  thread:set("number", threads * 100000000)
  threads = threads + 1
end

function request()
  number = number + 1
  local body = string.format(
    '{"birthdate": "1988-07-21 00:00:00.0000000", "education": "Высшее - специалист", ' ..
    '"employment_status": "Работаю по найму полный рабочий день/служу", "value": "9 - 10 лет", ' ..
    '"jobstartdate": "2013-09-01 00:00:00.0000000", "position": "начальник п", "monthprofit": %d.0, ' ..
    '"monthexpense": 100000.0, "gender": 0, "family_status": "Никогда в браке не состоял(а)", "childcount": 0, ' ..
    '"snils": 0, "merch_code": 77, "loan_amount": 137000.0, "loan_term": 18.0, "goods_category": "Furniture"}',
    number)
  return wrk.format("POST", "/upload_features", {
    ["Content-Type"] = "application/json",
    ["Authorization"] = key and "Bearer " .. key
  }, body)
end
